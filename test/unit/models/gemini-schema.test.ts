import { expect, it } from 'vitest';
import { z } from 'zod';
import { toGeminiSchema } from '../../../src/models/gemini/schema.ts';

it('keeps what the API knows of a JSON Schema and leaves out the rest', () => {
  const schema = z.toJSONSchema(
    z.strictObject({
      answer: z.string().min(1).describe('with ids'),
      citations: z.array(z.string()).max(50),
      sure: z.boolean().nullable(),
      level: z.enum(['low', 'high']).optional(),
    }),
  );
  expect(toGeminiSchema(schema)).toEqual({
    type: 'OBJECT',
    properties: {
      answer: { type: 'STRING', minLength: 1, description: 'with ids' },
      citations: { type: 'ARRAY', maxItems: 50, items: { type: 'STRING' } },
      sure: { type: 'BOOLEAN', nullable: true },
      level: { type: 'STRING', enum: ['low', 'high'] },
    },
    propertyOrdering: ['answer', 'citations', 'sure', 'level'],
    required: ['answer', 'citations', 'sure'],
  });
});

it('writes a type or null as a nullable one', () => {
  expect(toGeminiSchema({ type: ['string', 'null'] })).toEqual({ type: 'STRING', nullable: true });
});

import { expect, it } from 'vitest';
import { GoogleError } from '../../../simulator/gemini/api/google-error.ts';
import { readContentRequest } from '../../../simulator/gemini/validate/content-request.ts';

const say = (text: string, config: object = {}) => ({ contents: [{ parts: [{ text }] }], generationConfig: config });
const json = (responseSchema: object) => say('hi', { responseMimeType: 'application/json', responseSchema });

function refusal(body: unknown): string {
  try {
    readContentRequest(body, true);
  } catch (error) {
    if (error instanceof GoogleError) return error.message;
    throw error;
  }
  throw new Error('the request was accepted');
}

it('reads the texts, the system instruction and the limit', () => {
  const body = { ...say('hi', { maxOutputTokens: 5 }), system_instruction: { parts: [{ text: 'Be short.' }] } };
  expect(readContentRequest(body, true)).toMatchObject({
    system: 'Be short.',
    prompt: 'hi',
    wantsJson: false,
    maxOutputTokens: 5,
  });
});

it('takes types in capitals, at every depth, for those of JSON Schema', () => {
  const list = { type: 'ARRAY', items: { anyOf: [{ type: 'STRING' }, { type: 'number' }] } };
  expect(readContentRequest(json({ type: 'OBJECT', properties: { list } }), true).schema).toEqual({
    type: 'object',
    properties: { list: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'number' }] } } },
  });
});

it.each([
  ['a body that is a list', [], 'Invalid JSON payload received. Unknown name "": Root element must be a message.'],
  [
    'unknown names, one a line, properties by position',
    {
      ...json({ type: 'OBJECT', properties: { a: { type: 'STRING' }, b: { type: 'STRING', const: 'x' } } }),
      top_k: 1,
    },
    `Invalid JSON payload received. Unknown name "const" at 'generation_config.response_schema.properties[1].value': Cannot find field.\nInvalid JSON payload received. Unknown name "top_k": Cannot find field.`,
  ],
  [
    'an unknown name in a part',
    { contents: [{ parts: [{ txt: 'hi' }] }] },
    `Invalid JSON payload received. Unknown name "txt" at 'contents[0].parts[0]': Cannot find field.`,
  ],
  [
    'a message without parts',
    { contents: [{ role: 'user' }] },
    '* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n',
  ],
  [
    'a limit of nothing',
    say('hi', { maxOutputTokens: 0 }),
    '* GenerateContentRequest.generation_config.max_output_tokens: must be positive.\n',
  ],
])('refuses %s', (_what, body, message) => {
  expect(refusal(body)).toBe(message);
});

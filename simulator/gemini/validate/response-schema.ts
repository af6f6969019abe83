import { z } from 'zod';

/** A field that the API defines and the simulator only passes on. */
const kept = z.unknown().optional();

/**
 * The API's own `Schema` message, parsed into JSON Schema: the API writes types in capitals and accepts both. JSON Schema's
 * other keywords are unknown names, `$schema` and `additionalProperties` included. https://ai.google.dev/api/caching#Schema
 */
export const responseSchema = z.strictObject({
  type: z
    .string()
    .transform((type) => type.toLowerCase())
    .optional(),
  format: kept,
  title: kept,
  description: kept,
  nullable: kept,
  enum: kept,
  get items() {
    return responseSchema.optional();
  },
  maxItems: kept,
  minItems: kept,
  get properties() {
    return z.record(z.string(), responseSchema).optional();
  },
  required: kept,
  minProperties: kept,
  maxProperties: kept,
  minLength: kept,
  maxLength: kept,
  pattern: kept,
  example: kept,
  get anyOf() {
    return z.array(responseSchema).optional();
  },
  propertyOrdering: kept,
  default: kept,
  minimum: kept,
  maximum: kept,
});

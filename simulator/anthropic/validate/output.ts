import { z } from 'zod';
import { isObject } from '../../provider-host/json.ts';
import { invalidRequest } from '../api/api-error.ts';

/**
 * Keywords that the provider's constrained decoding does not support.
 * https://docs.claude.com/en/docs/build-with-claude/structured-outputs
 */
const UNSUPPORTED_KEYWORDS = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'maxItems',
  'uniqueItems',
];
/** Keywords whose value is data, not a schema. */
const DATA_KEYWORDS = ['enum', 'const', 'default', 'examples'];
/** Keywords whose value has a schema for each name. */
const NAMED_SCHEMAS = ['properties', '$defs', 'definitions'];
const SCHEMA_PATH = 'output_config.format.schema';

export const outputConfig = z.strictObject({
  effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  format: z.strictObject({ type: z.literal('json_schema'), schema: z.record(z.string(), z.unknown()) }).nullish(),
});

/** Checks that a JSON Schema is of the subset that the provider accepts. @throws ApiError 400 */
export function checkOutputSchema(schema: unknown): void {
  if (Array.isArray(schema)) return schema.forEach(checkOutputSchema);
  if (!isObject(schema)) return;
  if (schema.type === 'object' && schema.additionalProperties !== false) {
    throw invalidRequest(`${SCHEMA_PATH}: For 'object' type, 'additionalProperties' must be explicitly set to false`);
  }
  const unsupported = UNSUPPORTED_KEYWORDS.filter((keyword) => keyword in schema);
  if (typeof schema.type === 'string' && unsupported.length > 0) {
    throw invalidRequest(
      `${SCHEMA_PATH}: For '${schema.type}' type, properties ${unsupported.join(', ')} are not supported`,
    );
  }
  for (const [key, nested] of Object.entries(schema)) {
    if (DATA_KEYWORDS.includes(key)) continue;
    checkOutputSchema(NAMED_SCHEMAS.includes(key) && isObject(nested) ? Object.values(nested) : nested);
  }
}

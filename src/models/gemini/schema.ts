/** Fields of the API's `Schema` with the meaning of JSON Schema. The API refuses unknown fields. */
const KEPT = new Set([
  'format',
  'title',
  'description',
  'nullable',
  'enum',
  'required',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
]);

/**
 * Converts a JSON Schema to the API's `Schema`: types in upper case, without `$schema`, `additionalProperties` and others. The
 * removed fields only make the schema less strict. https://ai.google.dev/api/caching#Schema
 */
export function toGeminiSchema(schema: Record<string, unknown>): Record<string, unknown> {
  const { type, items, properties, anyOf } = schema;
  return {
    ...Object.fromEntries(Object.entries(schema).filter(([name]) => KEPT.has(name))),
    ...toType(type),
    ...(isSchema(items) && { items: toGeminiSchema(items) }),
    ...(Array.isArray(anyOf) && { anyOf: anyOf.filter(isSchema).map(toGeminiSchema) }),
    ...(isSchema(properties) && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, one]) => [name, isSchema(one) ? toGeminiSchema(one) : {}]),
      ),
      propertyOrdering: Object.keys(properties), // the provider's default order is alphabetical
    }),
  };
}

/** `['string', 'null']` is a nullable string. */
function toType(type: unknown): Record<string, unknown> {
  const types = (Array.isArray(type) ? type : [type]).filter((one) => typeof one === 'string');
  const named = types.find((one) => one !== 'null');
  return {
    ...(named !== undefined && { type: named.toUpperCase() }),
    ...(types.includes('null') && { nullable: true }),
  };
}

function isSchema(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

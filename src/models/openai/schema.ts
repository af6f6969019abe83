type Schema = Record<string, unknown>;

/** What strict mode refuses and the fleet checks itself. Without them the schema is only less strict. */
const DROPPED = new Set([
  '$schema',
  '$id',
  '$comment',
  'title',
  'default',
  'examples',
  'minLength',
  'maxLength',
  'uniqueItems',
  'minProperties',
  'maxProperties',
]);
/** What strict mode cannot express. */
const REFUSED = [
  'allOf',
  'not',
  'if',
  'then',
  'else',
  'patternProperties',
  'prefixItems',
  'dependentRequired',
  'contains',
];
const MOST_DEPTH = 10;

/**
 * The schema as strict mode takes it: objects are closed and name all properties as required; what is not required may be null,
 * and `withoutNulls` takes those nulls out again. Null: strict mode cannot express it.
 * https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */
export function toStrictSchema(schema: Schema): Schema | null {
  if (schema['type'] !== 'object') return null;
  try {
    return toStrict(schema, 1);
  } catch (error) {
    if (error instanceof NotStrict) return null;
    throw error;
  }
}

/** A value of a strict schema without the nulls that stand for absent properties. Other values are unchanged. */
export function withoutNulls(value: unknown, schema: unknown, root: unknown = schema): unknown {
  const own = resolve(schema, root);
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, own['items'], root));
  if (!isSchema(value)) return value;
  const properties = isSchema(own['properties']) ? own['properties'] : {};
  const required = toList(own['required']);
  const kept = Object.entries(value).filter(
    ([name, one]) => one !== null || required.includes(name) || !(name in properties) || takesNull(properties[name]),
  );
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutNulls(one, properties[name], root)]));
}

class NotStrict extends Error {}

function toStrict(schema: unknown, depth: number): Schema {
  if (!isSchema(schema) || depth > MOST_DEPTH || REFUSED.some((keyword) => keyword in schema)) throw new NotStrict();
  const strict: Schema = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !DROPPED.has(keyword)));
  const choices = schema['anyOf'] ?? schema['oneOf'];
  delete strict['oneOf'];
  if (Array.isArray(choices)) strict['anyOf'] = choices.map((choice) => toStrict(choice, depth));
  for (const field of ['$defs', 'definitions']) {
    const named = schema[field];
    if (isSchema(named)) strict[field] = mapValues(named, (one) => toStrict(one, depth));
  }
  const types = toList(schema['type']);
  const isTyped =
    types.length > 0 || '$ref' in schema || Array.isArray(choices) || 'enum' in schema || 'const' in schema;
  if (!isTyped) throw new NotStrict(); // any value
  if (types.includes('object')) Object.assign(strict, toClosed(schema, depth));
  if (types.includes('array')) strict['items'] = toStrict(schema['items'], depth + 1);
  return strict;
}

function toClosed(schema: Schema, depth: number): Schema {
  const properties = schema['properties'];
  const isOpen = schema['additionalProperties'] !== undefined && schema['additionalProperties'] !== false;
  if (!isSchema(properties) || isOpen) throw new NotStrict(); // a map with free names
  const required = toList(schema['required']);
  return {
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, one]) => {
        const strict = toStrict(one, depth + 1);
        return [name, required.includes(name) || takesNull(one) ? strict : toNullable(strict)];
      }),
    ),
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

function toNullable(schema: Schema): Schema {
  const { type } = schema;
  const isPlain = typeof type === 'string' && !('enum' in schema) && !('const' in schema);
  return isPlain ? { ...schema, type: [type, 'null'] } : { anyOf: [schema, { type: 'null' }] };
}

function takesNull(schema: unknown): boolean {
  if (!isSchema(schema)) return true;
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices)) return choices.some(takesNull);
  if (Array.isArray(schema['enum'])) return schema['enum'].includes(null);
  return toList(schema['type']).includes('null') || (schema['type'] === undefined && !('$ref' in schema));
}

function resolve(schema: unknown, root: unknown): Schema {
  if (!isSchema(schema)) return {};
  const reference = schema['$ref'];
  if (typeof reference !== 'string' || !reference.startsWith('#/')) return schema;
  let target: unknown = root;
  for (const part of reference.slice(2).split('/')) target = isSchema(target) ? target[part] : undefined;
  return isSchema(target) ? target : {};
}

function mapValues(named: Schema, change: (one: unknown) => unknown): Schema {
  return Object.fromEntries(Object.entries(named).map(([name, one]) => [name, change(one)]));
}

function toList(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined ? [] : [value];
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

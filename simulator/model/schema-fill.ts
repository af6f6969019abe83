import { Ajv } from 'ajv';
import { isObject, type JsonObject } from '../provider-host/json.ts';

/** Values by property name, for a result that must fit a schema. They contain only what tools showed. */
export type Values = JsonObject;

const MAX_DEPTH = 12;

/** Other names that a schema may use for the model's own property names. */
const SYNONYMS: Record<string, readonly string[]> = {
  summary: [
    'description',
    'text',
    'answer',
    'result',
    'explanation',
    'message',
    'report',
    'overview',
    'details',
    'note',
    'notes',
  ],
  count: ['number', 'n', 'total', 'amount', 'occurrences', 'matches'],
  lines: ['line_count', 'linecount', 'loc', 'total_lines'],
  path: ['file', 'file_path', 'file_name', 'filename', 'name'],
  files: ['paths', 'file_list', 'filenames', 'files_changed'],
  exports: ['symbols', 'exported', 'export_names', 'functions', 'names'],
  heading: ['title', 'headline'],
  todos: ['todo_count', 'todo'],
  citations: ['sources', 'finding_ids', 'references'],
  ok: ['success', 'passed', 'valid', 'done', 'exists', 'found'],
  items: ['entries', 'results', 'list', 'rows', 'matches', 'locations', 'places'],
};

/**
 * A value that fits the schema: the given value where a property has its name, else the smallest of the property's type.
 * @param values what the tools showed, by name
 */
export function fillSchema(schema: JsonObject, values: Values): unknown {
  const filled = new Filler(schema).toValue(schema, values, undefined, 0);
  if (fitsSchema(schema, filled)) return filled;
  const bare = new Filler(schema).toValue(schema, {}, undefined, 0); // a given value may break the schema, for example a pattern
  return fitsSchema(schema, bare) ? bare : filled;
}

/** Whether a value fits the schema. True for an invalid schema, which no value can break. */
export function fitsSchema(schema: JsonObject, value: unknown): boolean {
  try {
    return new Ajv({ strict: false, validateFormats: false }).validate(schema, value);
  } catch {
    return true;
  }
}

class Filler {
  readonly #root: JsonObject;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  /** @param wanted the given value of this name, or undefined */
  toValue(given: unknown, values: Values, wanted: unknown, depth: number): unknown {
    const schema = this.#resolve(given);
    if (depth > MAX_DEPTH) return null;
    if ('const' in schema) return schema.const;
    if (Array.isArray(schema.enum)) return schema.enum.includes(wanted) ? wanted : schema.enum[0];
    const choices = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(choices)) {
      const base = { ...schema, anyOf: undefined, oneOf: undefined };
      const options = choices.map((choice) =>
        this.toValue({ ...base, ...this.#resolve(choice) }, values, wanted, depth + 1),
      );
      return options.find((option) => option !== null) ?? options[0];
    }
    switch (toType(schema, wanted)) {
      case 'object':
        return this.#fillObject(schema, isObject(wanted) ? { ...values, ...wanted } : values, depth);
      case 'array':
        return this.#fillArray(schema, values, wanted, depth);
      case 'string':
        return fillString(schema, wanted);
      case 'integer':
      case 'number':
        return fillNumber(schema, wanted);
      case 'boolean':
        return typeof wanted === 'boolean' ? wanted : wanted !== undefined && wanted !== null && wanted !== 0;
      default:
        return null;
    }
  }

  #fillObject(schema: JsonObject, values: Values, depth: number): JsonObject {
    const properties = isObject(schema.properties) ? schema.properties : {};
    const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
    const filled: JsonObject = {};
    for (const name of new Set([...Object.keys(properties), ...required])) {
      const wanted = lookUp(values, name);
      if (wanted === undefined && !required.includes(name)) continue;
      filled[name] = this.toValue(properties[name] ?? {}, values, wanted, depth + 1);
    }
    return filled;
  }

  #fillArray(schema: JsonObject, values: Values, wanted: unknown, depth: number): unknown[] {
    const low = typeof schema.minItems === 'number' ? schema.minItems : 0;
    const high = typeof schema.maxItems === 'number' ? schema.maxItems : 10_000;
    const type = toType(this.#resolve(schema.items), undefined);
    const source = Array.isArray(wanted) ? wanted : wanted === undefined ? [] : [wanted];
    const items =
      type === 'object' && !source.some(isObject) && Array.isArray(values.items)
        ? values.items.filter(isObject)
        : source;
    const filled = items.slice(0, high).map((item) => this.toValue(schema.items, values, item, depth + 1));
    while (filled.length < low) filled.push(this.toValue(schema.items, values, undefined, depth + 1));
    return filled;
  }

  #resolve(given: unknown): JsonObject {
    if (!isObject(given)) return {};
    const merged = Array.isArray(given.allOf)
      ? Object.assign({ ...given, allOf: undefined }, ...given.allOf.map((part) => this.#resolve(part)))
      : given;
    const reference: unknown = merged.$ref;
    if (typeof reference !== 'string' || !reference.startsWith('#')) return merged as JsonObject;
    let target: unknown = this.#root;
    for (const part of reference.slice(1).split('/').filter(Boolean))
      target = isObject(target) ? target[part] : undefined;
    return isObject(target) ? target : {};
  }
}

function lookUp(values: Values, name: string): unknown {
  const key = name.replaceAll(/([a-z])([A-Z])/g, '$1_$2').toLowerCase();
  if (key in values) return values[key];
  const canonical = Object.keys(SYNONYMS).find((one) => one === key || SYNONYMS[one]?.includes(key));
  if (canonical === undefined) return undefined;
  return [canonical, ...(SYNONYMS[canonical] ?? [])].map((one) => values[one]).find((value) => value !== undefined);
}

function toType(schema: JsonObject, wanted: unknown): string {
  const types = Array.isArray(schema.type)
    ? schema.type.map(String)
    : typeof schema.type === 'string'
      ? [schema.type]
      : [];
  const natural = Array.isArray(wanted) ? 'array' : isObject(wanted) ? 'object' : typeof wanted;
  if (types.length > 0)
    return types.find((type) => type === natural) ?? types.find((type) => type !== 'null') ?? 'null';
  if (isObject(schema.properties)) return 'object';
  if (schema.items !== undefined) return 'array';
  return wanted === undefined || wanted === null ? 'null' : natural;
}

function fillString(schema: JsonObject, wanted: unknown): string {
  let text =
    typeof wanted === 'string' ? wanted : wanted === undefined || wanted === null ? '' : JSON.stringify(wanted);
  if (text === '' && schema.format === 'date-time') text = '1970-01-01T00:00:00Z';
  if (typeof schema.maxLength === 'number') text = text.slice(0, schema.maxLength);
  return typeof schema.minLength === 'number' ? text.padEnd(schema.minLength, '-') : text;
}

function fillNumber(schema: JsonObject, wanted: unknown): number {
  const bound = (name: string): number | undefined => (typeof schema[name] === 'number' ? schema[name] : undefined);
  const size = Array.isArray(wanted) ? wanted.length : Number(wanted ?? 0);
  let value = Number.isFinite(size) ? size : 0;
  if (schema.type === 'integer') value = Math.trunc(value);
  const above = bound('exclusiveMinimum');
  const below = bound('exclusiveMaximum');
  value = Math.max(value, bound('minimum') ?? (above === undefined ? value : above + 1));
  return Math.min(value, bound('maximum') ?? (below === undefined ? value : below - 1));
}

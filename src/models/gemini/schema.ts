type Schema = Record<string, unknown>;

/** Fields of the API's `Schema` with the meaning of JSON Schema, by type. The API refuses unknown fields, and those of other types. */
const OF_TYPE: Record<string, readonly string[]> = {
  string: ['minLength', 'maxLength', 'pattern'],
  number: ['format', 'minimum', 'maximum'],
  integer: ['format', 'minimum', 'maximum'],
  array: ['minItems', 'maxItems'],
};
const FORMATS = new Set(['enum', 'date-time']);
/** A schema that refers to itself is written out so often, one within the other; deeper it is a text. */
const MOST_REFERENCES = 3;

/**
 * Converts a JSON Schema to the API's `Schema`: types in upper case, without `$schema`, `additionalProperties` and others. The
 * removed fields only make the schema less strict. What it has no words for, such as an object of any names, is asked for as JSON
 * text, which tools read, too. https://ai.google.dev/api/caching#Schema
 */
export function toGeminiSchema(schema: Schema): Schema {
  return new Converter(schema).convert(schema, 0);
}

class Converter {
  readonly #root: Schema;

  constructor(root: Schema) {
    this.#root = root;
  }

  /** @param references that lead here */
  convert(given: Schema, references: number): Schema {
    const depth = references + ('$ref' in given ? 1 : 0);
    if (depth > MOST_REFERENCES) return toText(given);
    const schema = this.#resolve(given, MOST_REFERENCES);
    const types = toTypes(schema);
    const all = toBranches(schema);
    const branches = all.filter((branch) => !isNull(branch));
    const isNullable = schema['nullable'] === true || types.includes('null') || branches.length < all.length;
    const common = { ...pick(schema, ['title', 'description']), ...(isNullable && { nullable: true }) };
    const [only] = branches;
    if (only !== undefined) {
      if (branches.length === 1) return { ...this.convert(only, depth), ...common };
      return { ...common, anyOf: branches.map((branch) => this.convert(branch, depth)) };
    }
    const [type, ...more] = types.filter((one) => one !== 'null');
    if (type === undefined) return { ...common, ...toText(schema) };
    if (more.length === 0) return { ...common, ...this.#convertType(schema, type, depth) };
    return { ...common, anyOf: [type, ...more].map((one) => this.#convertType(withoutWords(schema), one, depth)) };
  }

  #convertType(schema: Schema, type: string, depth: number): Schema {
    const typed = { type: type.toUpperCase(), ...pick(schema, OF_TYPE[type] ?? []) };
    switch (type) {
      case 'object':
        return this.#convertObject(schema, depth);
      case 'array': {
        const { items } = schema;
        return { ...typed, items: isSchema(items) ? this.convert(items, depth) : toText({}) };
      }
      case 'string':
        return { ...typed, ...toWords(schema), ...(FORMATS.has(String(schema['format'])) && pick(schema, ['format'])) };
      default:
        return typed;
    }
  }

  #convertObject(schema: Schema, depth: number): Schema {
    const { properties, required } = schema;
    const entries = isSchema(properties) ? Object.entries(properties) : [];
    if (entries.length === 0) return toText(schema);
    const names = new Set(entries.map(([name]) => name));
    const needed = Array.isArray(required) ? required.filter((name) => names.has(String(name))) : [];
    return {
      type: 'OBJECT',
      properties: Object.fromEntries(
        entries.map(([name, one]) => [name, isSchema(one) ? this.convert(one, depth) : toText({})]),
      ),
      propertyOrdering: [...names], // the provider's default order is alphabetical
      ...(needed.length > 0 && { required: needed }),
    };
  }

  /** Puts in what `$ref` and `allOf` name. @param most references that are followed */
  #resolve(schema: Schema, most: number): Schema {
    const { $ref: reference, allOf, ...own } = schema;
    const parts = Array.isArray(allOf) ? allOf.filter(isSchema).map((part) => this.#resolve(part, most)) : [];
    if (typeof reference !== 'string') return Object.assign({}, ...parts, own) as Schema;
    let target: unknown = this.#root;
    for (const name of reference.replace(/^#\/?/, '').split('/').filter(Boolean)) {
      target = isSchema(target) ? target[name] : undefined;
    }
    return { ...(isSchema(target) && most > 0 ? this.#resolve(target, most - 1) : {}), ...own };
  }
}

/** What the API has no words for. */
function toText({ description }: Schema): Schema {
  return {
    type: 'STRING',
    description: typeof description === 'string' ? `${description} (JSON, as text)` : 'JSON, as text',
  };
}

/** A list of words is of one type. */
function withoutWords({ enum: _words, const: _constant, description: _description, ...rest }: Schema): Schema {
  return rest;
}

/** The types of a schema; that of its constant, its words or its fields where it names none. */
function toTypes({ type, const: constant, enum: words, properties, items }: Schema): string[] {
  const named = (Array.isArray(type) ? type : [type]).filter((one) => typeof one === 'string');
  if (named.length > 0) return named;
  const sample: unknown = constant ?? (Array.isArray(words) ? (words as unknown[])[0] : undefined);
  if (typeof sample === 'string' || typeof sample === 'number' || typeof sample === 'boolean') return [typeof sample];
  if (isSchema(properties)) return ['object'];
  return items === undefined ? [] : ['array'];
}

function toBranches({ anyOf, oneOf }: Schema): Schema[] {
  const all: unknown = anyOf ?? oneOf;
  return Array.isArray(all) ? all.filter(isSchema) : [];
}

/** Only texts may be chosen from a list, and none of them empty. */
function toWords({ enum: words, const: constant }: Schema): Schema {
  const given: unknown[] = Array.isArray(words) ? words : constant === undefined ? [] : [constant];
  const all = given.filter((one) => one !== null);
  const texts = all.filter((one) => typeof one === 'string' && one !== '');
  return texts.length > 0 && texts.length === all.length ? { enum: texts } : {};
}

function isNull({ type, const: constant }: Schema): boolean {
  return type === 'null' || constant === null;
}

function pick(schema: Schema, names: readonly string[]): Schema {
  return Object.fromEntries(names.flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]])));
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

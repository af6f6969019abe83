import { isObject, type JsonObject } from '../../provider-host/json.ts';
import { invalidArgument } from '../api/google-error.ts';

/** What the simulator reads of a `generateContent` or `countTokens` body. */
export interface ContentRequest {
  system: string;
  /** All texts of the conversation, in order. */
  prompt: string;
  wantsJson: boolean;
  /** JSON Schema with lower-case types; null where none is given. */
  schema: JsonObject | null;
  /** Null: the model's own limit. */
  maxOutputTokens: number | null;
}

const ROLES = new Set<unknown>(['user', 'model', 'system']);
const TOP_FIELDS = [
  'contents',
  'systemInstruction',
  'system_instruction',
  'generationConfig',
  'generation_config',
  'safetySettings',
  'tools',
  'toolConfig',
  'cachedContent',
  'model',
  'labels',
];
const CONFIG_FIELDS = [
  'candidateCount',
  'stopSequences',
  'maxOutputTokens',
  'temperature',
  'topP',
  'topK',
  'seed',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'responseModalities',
  'thinkingConfig',
  'presencePenalty',
  'frequencyPenalty',
];
/** Of a `Schema` message; anything else is refused, JSON Schema's own `$schema` and `additionalProperties` included. */
const SCHEMA_FIELDS = new Set([
  'type',
  'format',
  'title',
  'description',
  'nullable',
  'enum',
  'items',
  'maxItems',
  'minItems',
  'properties',
  'required',
  'minProperties',
  'maxProperties',
  'minLength',
  'maxLength',
  'pattern',
  'example',
  'anyOf',
  'propertyOrdering',
  'default',
  'minimum',
  'maximum',
]);

/** @throws GoogleError 400 naming the field as the provider does */
export function readContentRequest(body: unknown): ContentRequest {
  if (!isObject(body)) throw unknownName('', 'payload');
  refuseUnknown('', body, TOP_FIELDS);
  const { contents } = body;
  if (!Array.isArray(contents) || contents.length === 0) {
    throw invalidArgument('* GenerateContentRequest.contents: contents is not specified\n');
  }
  const config = body.generationConfig ?? body.generation_config ?? {};
  if (!isObject(config)) throw invalidArgument("Invalid value at 'generation_config'");
  refuseUnknown('generation_config', config, CONFIG_FIELDS);
  const { maxOutputTokens, responseMimeType, responseSchema, responseJsonSchema } = config;
  if (maxOutputTokens !== undefined && !(Number.isInteger(maxOutputTokens) && Number(maxOutputTokens) > 0)) {
    throw invalidArgument(`* GenerateContentRequest.generation_config.max_output_tokens: must be positive.\n`);
  }
  const schema = responseSchema ?? responseJsonSchema;
  if (schema !== undefined && responseMimeType !== 'application/json') {
    throw invalidArgument(
      `* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes with response schema are [application/json], got ${JSON.stringify(responseMimeType ?? '')}\n`,
    );
  }
  if (responseSchema !== undefined) checkSchema('generation_config.response_schema', responseSchema);
  return {
    system: readText('system_instruction', body.systemInstruction ?? body.system_instruction ?? { parts: [] }),
    prompt: contents.map((content, at) => readText(`contents[${at}]`, content)).join('\n'),
    wantsJson: responseMimeType === 'application/json',
    schema: isObject(schema) ? toJsonSchema(schema) : null,
    maxOutputTokens: typeof maxOutputTokens === 'number' ? maxOutputTokens : null,
  };
}

function readText(path: string, content: unknown): string {
  if (!isObject(content)) throw invalidArgument(`Invalid value at '${path}'`);
  refuseUnknown(path, content, ['parts', 'role']);
  const { role, parts } = content;
  if (role !== undefined && !ROLES.has(role)) {
    throw invalidArgument('Please use a valid role: user, model.');
  }
  if (!Array.isArray(parts)) {
    throw invalidArgument(`* GenerateContentRequest.${path}.parts: contents.parts must not be empty.\n`);
  }
  return parts.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('\n');
}

function checkSchema(path: string, schema: unknown): void {
  if (!isObject(schema)) throw invalidArgument(`Invalid value at '${path}'`);
  refuseUnknown(path, schema, [...SCHEMA_FIELDS]);
  if (schema.items !== undefined) checkSchema(`${path}.items`, schema.items);
  const { properties } = schema;
  if (isObject(properties)) {
    for (const [name, property] of Object.entries(properties)) checkSchema(`${path}.properties[${name}]`, property);
  }
}

/** The API writes `STRING` where JSON Schema writes `string`, and takes both. */
function toJsonSchema(schema: JsonObject): JsonObject {
  const { type, items, properties, ...rest } = schema;
  return {
    ...rest,
    ...(typeof type === 'string' ? { type: type.toLowerCase() } : {}),
    ...(isObject(items) ? { items: toJsonSchema(items) } : {}),
    ...(isObject(properties)
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, one]) => [name, isObject(one) ? toJsonSchema(one) : one]),
          ),
        }
      : {}),
  };
}

function refuseUnknown(path: string, object: JsonObject, known: readonly string[]): void {
  const extra = Object.keys(object).find((key) => !known.includes(key));
  if (extra !== undefined) throw unknownName(path, extra);
}

function unknownName(path: string, name: string) {
  const at = path === '' ? '' : ` at '${path}'`;
  return invalidArgument(`Invalid JSON payload received. Unknown name "${name}"${at}: Cannot find field.`);
}

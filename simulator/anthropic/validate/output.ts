import { invalidRequest } from '../api/api-error.ts';
import { refuseExtraKeys, requireObject, requireString } from './shape.ts';
import { isObject } from '../../provider-host/json.ts';

const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'];
/** Keywords the provider's constrained decoding does not hold a reply to. */
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
const SCHEMA_PATH = 'output_config.format.schema';

/** Checks `output_config`: effort, and a JSON Schema of the subset the provider accepts. @throws ApiError 400 */
export function checkOutputConfig(value: unknown): void {
  if (value === undefined) return;
  const config = requireObject('output_config', value);
  refuseExtraKeys('output_config.', config, ['effort', 'format']);
  const { effort, format } = config;
  if (effort !== undefined && effort !== null && !(typeof effort === 'string' && EFFORTS.includes(effort))) {
    throw invalidRequest(`output_config.effort: Input should be ${EFFORTS.map((one) => `'${one}'`).join(', ')}`);
  }
  if (format === undefined || format === null) return;
  const checked = requireObject('output_config.format', format);
  refuseExtraKeys('output_config.format.', checked, ['type', 'schema']);
  if (requireString('output_config.format.type', checked.type) !== 'json_schema') {
    throw invalidRequest("output_config.format.type: Input should be 'json_schema'");
  }
  checkSchema(requireObject(SCHEMA_PATH, checked.schema));
}

function checkSchema(schema: unknown): void {
  if (Array.isArray(schema)) return schema.forEach(checkSchema);
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
    if (key === 'enum' || key === 'const' || key === 'default' || key === 'examples') continue;
    const named = key === 'properties' || key === '$defs' || key === 'definitions';
    checkSchema(named && isObject(nested) ? Object.values(nested) : nested);
  }
}

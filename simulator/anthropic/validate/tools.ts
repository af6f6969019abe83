import { invalidRequest, notSimulated } from '../api/api-error.ts';
import type { ServedModel } from '../api/served-model.ts';
import { checkCacheControl, refuseExtraKeys, requireList, requireObject, requireString } from './shape.ts';

const TOOL_KEYS = [
  'type',
  'name',
  'description',
  'input_schema',
  'cache_control',
  'strict',
  'defer_loading',
  'eager_input_streaming',
  'input_examples',
  'allowed_callers',
];
const CHOICE_TYPES = ['auto', 'any', 'tool', 'none'];

/** @returns the tools' names. @throws ApiError 400 */
export function checkTools(value: unknown): string[] {
  if (value === undefined) return [];
  const names: string[] = [];
  for (const [at, item] of requireList('tools', value).entries()) {
    const tool = requireObject(`tools.${at}`, item);
    if (tool.type !== undefined && tool.type !== null && tool.type !== 'custom') {
      throw notSimulated(`tools.${at}: tool type ${JSON.stringify(tool.type)}`);
    }
    refuseExtraKeys(`tools.${at}.custom.`, tool, TOOL_KEYS);
    const name = requireString(`tools.${at}.custom.name`, tool.name);
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
      throw invalidRequest(`tools.${at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
    }
    const schema = requireObject(`tools.${at}.custom.input_schema`, tool.input_schema);
    if (schema.type === undefined) throw invalidRequest(`tools.${at}.custom.input_schema.type: Field required`);
    if (schema.type !== 'object')
      throw invalidRequest(`tools.${at}.custom.input_schema.type: Input should be 'object'`);
    checkCacheControl(`tools.${at}.custom.cache_control`, tool.cache_control);
    names.push(name);
  }
  if (new Set(names).size !== names.length) throw invalidRequest('tools: Tool names must be unique.');
  return names;
}

/** @throws ApiError 400, also where the model does not take a forced choice */
export function checkToolChoice(value: unknown, names: readonly string[], model: ServedModel): void {
  if (value === undefined) return;
  const choice = requireObject('tool_choice', value);
  const type = requireString('tool_choice.type', choice.type);
  if (!CHOICE_TYPES.includes(type)) {
    throw invalidRequest(`tool_choice.type: Input should be ${CHOICE_TYPES.map((one) => `'${one}'`).join(', ')}`);
  }
  const allowed = type === 'none' ? ['type'] : ['type', 'disable_parallel_tool_use'];
  refuseExtraKeys(`tool_choice.${type}.`, choice, type === 'tool' ? [...allowed, 'name'] : allowed);
  if (names.length === 0) throw invalidRequest('tool_choice: may only be specified while providing tools');
  if (type !== 'any' && type !== 'tool') return;
  if (!model.forcedToolChoice) {
    throw invalidRequest(`tool_choice: type '${type}' is not supported by ${model.id}; use 'auto' or 'none'`);
  }
  if (type === 'tool' && !names.includes(requireString('tool_choice.tool.name', choice.name))) {
    throw invalidRequest(`tool_choice: Tool '${String(choice.name)}' not found in provided tools`);
  }
}

import { invalidRequest, notSimulated } from '../api/api-error.ts';
import { type PromptSegment, sumTokens, toPromptSegments } from '../prompt/prompt-segments.ts';
import { type MessagesRequest } from '../../model/types.ts';
import { findServedModel, type ServedModel } from '../api/served-model.ts';
import { checkCacheControl, refuseExtraKeys, requireList, requireObject, requireString } from './shape.ts';
import { isObject } from '../../provider-host/json.ts';
import { checkMessages, checkSystem } from './messages.ts';
import { checkOutputConfig } from './output.ts';
import { checkToolChoice, checkTools } from './tools.ts';

/** What both endpoints take (SDK `resources/messages/messages.d.ts`). */
const PROMPT_KEYS = [
  'messages',
  'model',
  'cache_control',
  'output_config',
  'speed',
  'system',
  'thinking',
  'tool_choice',
  'tools',
];
const CREATE_KEYS = [
  ...PROMPT_KEYS,
  'max_tokens',
  'container',
  'diagnostics',
  'inference_geo',
  'metadata',
  'service_tier',
  'stop_sequences',
  'stream',
];
/** Refused by API version 2026-10-21 even at their old defaults. */
const SAMPLING_KEYS = ['temperature', 'top_p', 'top_k'];
const UNSIMULATED_KEYS = ['container', 'diagnostics', 'inference_geo', 'speed'];
const MAX_BREAKPOINTS = 4;

export interface ValidRequest {
  request: MessagesRequest;
  model: ServedModel;
  /** The prompt's blocks, as the cache sees them. */
  segments: PromptSegment[];
}

/**
 * Checks the body of `POST /v1/messages` (`create`) or `/v1/messages/count_tokens` (`count`) as API version 2026-10-21 does.
 * @throws ApiError 400, 404 for a model that is not served
 */
export function validateRequest(value: unknown, endpoint: 'create' | 'count'): ValidRequest {
  if (!isObject(value)) throw invalidRequest('The request body is not valid JSON: expected an object');
  const sampling = SAMPLING_KEYS.find((key) => key in value);
  if (sampling !== undefined) throw invalidRequest(`${sampling}: this parameter is no longer supported`);
  refuseExtraKeys('', value, endpoint === 'create' ? CREATE_KEYS : PROMPT_KEYS);
  const unsimulated = UNSIMULATED_KEYS.find((key) => value[key] !== undefined && value[key] !== null);
  if (unsimulated !== undefined) throw notSimulated(unsimulated);
  const model = findServedModel(requireString('model', value.model));
  checkSystem(value.system);
  checkMessages(value.messages);
  checkToolChoice(value.tool_choice, checkTools(value.tools), model);
  checkOutputConfig(value.output_config);
  checkCacheControl('cache_control', value.cache_control);
  if (value.thinking !== undefined) requireString('thinking.type', requireObject('thinking', value.thinking).type);
  if (endpoint === 'create') checkCreateOnly(value, model);
  const request = value as unknown as MessagesRequest; // every field was checked above
  const segments = toPromptSegments(request);
  checkPrompt(segments, model);
  return { request, model, segments };
}

function checkCreateOnly(value: Record<string, unknown>, model: ServedModel): void {
  const { max_tokens: maxTokens, metadata, stop_sequences: stops, service_tier: tier } = value;
  if (maxTokens === undefined) throw invalidRequest('max_tokens: Field required');
  if (!Number.isInteger(maxTokens)) throw invalidRequest('max_tokens: Input should be a valid integer');
  if (Number(maxTokens) < 1) throw invalidRequest('max_tokens: Input should be greater than or equal to 1');
  if (Number(maxTokens) > model.maxOutputTokens) {
    throw invalidRequest(
      `max_tokens: ${Number(maxTokens)} > ${model.maxOutputTokens}, which is the maximum allowed number of output tokens for ${model.id}`,
    );
  }
  if (value.stream === true) throw notSimulated('stream');
  if (metadata !== undefined) {
    const checked = requireObject('metadata', metadata);
    refuseExtraKeys('metadata.', checked, ['user_id']);
    const user = checked.user_id ?? '';
    if (requireString('metadata.user_id', user).length > 256) {
      throw invalidRequest('metadata.user_id: String should have at most 256 characters');
    }
  }
  if (stops !== undefined) {
    for (const [at, stop] of requireList('stop_sequences', stops).entries()) {
      if (requireString(`stop_sequences.${at}`, stop).trim() === '') {
        throw invalidRequest('stop_sequences: each stop sequence must contain non-whitespace');
      }
    }
  }
  if (tier !== undefined && tier !== 'auto' && tier !== 'standard_only') {
    throw invalidRequest("service_tier: Input should be 'auto' or 'standard_only'");
  }
}

function checkPrompt(segments: readonly PromptSegment[], model: ServedModel): void {
  const breakpoints = segments.filter((segment) => segment.breakpoint).length;
  if (breakpoints > MAX_BREAKPOINTS) {
    throw invalidRequest(
      `A maximum of ${MAX_BREAKPOINTS} blocks with cache_control may be provided. Found ${breakpoints}.`,
    );
  }
  const tokens = sumTokens(segments);
  if (tokens > model.contextTokens) {
    throw invalidRequest(`prompt is too long: ${tokens} tokens > ${model.contextTokens} maximum`);
  }
}

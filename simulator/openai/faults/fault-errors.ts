import { ChatApiError } from '../api/api-error.ts';
import type { ActiveChatFault } from './fault.ts';

type Shape = readonly [status: number, type: string, message: string, code?: string | null, param?: string];

/**
 * Statuses, codes and words: https://platform.openai.com/docs/guides/error-codes. 402: https://api-docs.deepseek.com/quick_start/error_codes.
 * The flagged prompt: https://github.com/alan-turing-institute/t0-1/issues/69. Fields that a server does not know: https://github.com/gpustack/gpustack/issues/429.
 */
const SHAPES: Partial<Record<ActiveChatFault['kind'], Shape>> = {
  authentication: [
    401,
    'invalid_request_error',
    'Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.',
    'invalid_api_key',
  ],
  balance: [402, 'unknown_error', 'Insufficient Balance', 'invalid_request_error'],
  permission: [
    403,
    'request_forbidden',
    'Country, region, or territory not supported',
    'unsupported_country_region_territory',
  ],
  'model-gone': [
    404,
    'invalid_request_error',
    'The model has been deprecated, learn more here: https://platform.openai.com/docs/deprecations',
    'model_not_found',
  ],
  'invalid-request': [400, 'invalid_request_error', 'The request was refused by a simulated fault', 'invalid_value'],
  'too-long': [
    400,
    'invalid_request_error',
    'Your input exceeds the context window of this model. Please adjust your input and try again.',
    'context_length_exceeded',
    'messages',
  ],
  'too-large': [413, 'invalid_request_error', 'Request Entity Too Large'],
  'content-policy': [
    400,
    'invalid_request_error',
    'Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.',
    'invalid_prompt',
  ],
  'no-schema': [
    400,
    'BadRequestError',
    "Unknown parameter: 'response_format'.",
    'unknown_parameter',
    'response_format',
  ],
  'no-stream-options': [
    400,
    'BadRequestError',
    "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted', 'input': {'include_usage': True}}]",
  ],
  'rate-limit': [
    429,
    'tokens',
    'Rate limit reached for the model in organization org-simulated on tokens per min (TPM). Please try again in 1s. Visit https://platform.openai.com/account/rate-limits to learn more.',
    'rate_limit_exceeded',
  ],
  quota: [
    429,
    'insufficient_quota',
    'You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.',
    'insufficient_quota',
  ],
  'request-too-large': [
    429,
    'tokens',
    'Request too large for the model in organization org-simulated on tokens per min (TPM): Limit 30000, Requested 60000. The input or output tokens must be reduced in order to run successfully.',
    'rate_limit_exceeded',
  ],
  'server-error': [500, 'server_error', 'The server had an error while processing your request. Sorry about that!'],
  overloaded: [503, 'service_unavailable_error', 'The engine is currently overloaded, please try again later.'],
};

/** The error that the fault answers with; null for a fault that lets the request reach the model. */
export function toChatFaultError(fault: ActiveChatFault): ChatApiError | null {
  const shape = SHAPES[fault.kind];
  if (shape === undefined) return null;
  const [status, type, message, code = null, param = null] = shape;
  const headers: Record<string, string> =
    fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
  return new ChatApiError(fault.status ?? status, type, fault.message ?? message, { code, param, headers });
}

/** What a stream ends with that fails on the way: a chunk that is an error. https://github.com/openai/openai-node/blob/master/src/core/streaming.ts */
export function toChunkError(fault: ActiveChatFault | null): string {
  const [type, message] =
    fault?.kind === 'error-mid-stream'
      ? ['server_error', 'The server had an error while processing your request. Sorry about that!']
      : ['service_unavailable_error', 'The engine is currently overloaded, please try again later.'];
  const error = new ChatApiError(200, type, fault?.message ?? message, { code: null });
  return `data: ${JSON.stringify(error.toBody())}\n\n`;
}

import { ApiError } from '../api/api-error.ts';
import type { ActiveFault } from './fault.ts';

type ErrorShape = readonly [status: number, type: string, message: string, errorCode?: string];

/**
 * Statuses and types: https://docs.claude.com/en/api/errors and the SDK's `resources/shared.d.ts`. The words of the refused
 * account: https://github.com/anthropics/claude-code/issues/19028 and /38035.
 */
const SHAPES: Partial<Record<ActiveFault['kind'], ErrorShape>> = {
  authentication: [401, 'authentication_error', 'invalid x-api-key'],
  billing: [402, 'billing_error', 'Your credit balance is too low to access the Anthropic API.'],
  permission: [403, 'permission_error', 'Your API key does not have permission to use the specified resource.'],
  'invalid-request': [400, 'invalid_request_error', 'messages.0.content: the request was refused by a simulated fault'],
  'usage-limit': [400, 'invalid_request_error', 'You have reached your specified API usage limits.'],
  'usage-limits': [
    429,
    'rate_limit_error',
    'You have reached your API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
  ],
  'organization-disabled': [400, 'invalid_request_error', 'This organization has been disabled.'],
  'prompt-too-long': [400, 'invalid_request_error', 'prompt is too long: 1000002 tokens > 1000000 maximum'],
  'bound-thinking': [
    400,
    'invalid_request_error',
    'messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation',
  ],
  'too-large': [413, 'request_too_large', 'Request exceeds the maximum allowed number of bytes.'],
  'rate-limit': [429, 'rate_limit_error', "This request would exceed your organization's rate limit."],
  'spend-limit': [
    429,
    'rate_limit_error',
    'Your organization has reached its enforced spend limit.',
    'enforced_spend_limit_reached',
  ],
  'server-error': [500, 'api_error', 'Internal server error'],
  unavailable: [503, 'api_error', 'Service unavailable'],
  overloaded: [529, 'overloaded_error', 'Overloaded'],
};

/** https://docs.claude.com/en/api/errors */
const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** The error that the fault answers with; null for a fault that lets the request reach the model. */
export function toFaultError(fault: ActiveFault): ApiError | null {
  const shape = SHAPES[fault.kind];
  if (shape === undefined) return null;
  const [usual, usualType, message, errorCode] = shape;
  const status = fault.status ?? usual;
  const type = fault.status === undefined ? usualType : (TYPES[status] ?? 'api_error');
  const headers: Record<string, string> =
    fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
  return new ApiError(status, type, fault.message ?? message, {
    headers,
    ...(errorCode === undefined ? {} : { errorCode }),
  });
}

/** The error event of a stream that fails on the way. https://docs.claude.com/en/docs/build-with-claude/streaming */
export function toStreamError(fault: ActiveFault | null, requestId: string): { type: string } {
  const isOverloaded = fault?.kind !== 'error-mid-stream';
  const [type, message] = isOverloaded
    ? ['overloaded_error', 'Overloaded']
    : [fault.errorType, `The stream failed: ${fault.errorType}`];
  return { type: 'error', ...new ApiError(200, type, fault?.message ?? message).toBody(requestId) };
}

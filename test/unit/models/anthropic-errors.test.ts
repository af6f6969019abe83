import { APIConnectionTimeoutError, APIError } from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import type { FleetError } from '../../../src/errors.ts';
import { toFleetError } from '../../../src/models/anthropic/errors.ts';
import { checkReply } from '../../../src/models/anthropic/reply-shape.ts';
import { toRetryAfterMs } from '../../../src/models/retry-after.ts';

const toError = (thrown: unknown): FleetError => toFleetError(thrown, { model: 'm', redact: (text) => text, now: NOW });
const NOW = Date.parse('2026-11-21T12:00:00Z');

describe('retry-after', () => {
  it.each([
    [{ 'retry-after': '2.5' }, 2_500],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after-ms': '1500.2' }, 1_501],
    [{ 'retry-after-ms': 'soon', 'retry-after': '4' }, 4_000],
    [{ 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT' }, 0], // already past
    [{ 'retry-after': 'Sun, 22 Nov 2026 12:00:00 GMT' }, 3_600_000],
    [{ 'retry-after': 'later' }, 0],
    [{ 'retry-after': '-5' }, 0],
    [{ 'retry-after-ms': '0', 'retry-after': '4' }, 4_000],
    [{}, 0],
  ])('%j is %i ms', (headers, ms) => {
    expect(toRetryAfterMs(new Headers({ ...headers }), NOW)).toBe(ms);
  });
});

const refused = (status: number, type: string, message: string, code?: string): APIError =>
  APIError.generate(
    status,
    { type: 'error', error: { type, message, ...(code !== undefined && { details: { error_code: code } }) } },
    undefined,
    new Headers(),
  );

describe('the words of a refusal', () => {
  it.each([
    // the account: https://platform.claude.com/docs/en/api/errors
    [
      400,
      'invalid_request_error',
      'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
    ],
    [
      400,
      'invalid_request_error',
      'You have reached your specified workspace API usage limits. You will regain access on 2026-12-01.',
    ],
    [429, 'rate_limit_error', 'You have reached your API usage limits.'],
    [429, 'rate_limit_error', 'Your organization has exceeded its monthly usage limit.'],
    [400, 'invalid_request_error', 'Monthly spend limit reached for this workspace.'],
    [
      400,
      'invalid_request_error',
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.',
    ],
    [400, 'invalid_request_error', 'This organization has been disabled.'],
    [403, 'permission_error', 'This organization has been disabled.'],
    [400, 'invalid_request_error', 'Your account is suspended.'],
    [429, 'rate_limit_error', 'Extra usage is required for long context requests.'],
    [429, 'rate_limit_error', 'Usage credits are required for long context requests.'],
    [401, 'authentication_error', 'invalid x-api-key'],
    [402, 'billing_error', 'payment needed'],
    [403, 'permission_error', 'not yours'],
  ])('%i %s %j refuses the account', (status, type, message) => {
    expect(toError(refused(status, type, message))).toMatchObject({ name: 'AccountRefusedError', billed: 'no' });
  });

  it.each([
    [400, 'organization_on_hold'],
    [400, 'cmek_key_disabled'],
    [429, 'contract_spend_limit_reached'],
    [429, 'enforced_spend_limit_reached'],
    [429, 'linked_organization_spend_limit_reached'],
  ])('%i with code %s refuses the account', (status, code) => {
    expect(toError(refused(status, 'invalid_request_error', 'On hold.', code)).name).toBe('AccountRefusedError');
  });

  it.each([
    ["This request would exceed your organization's rate limit of 50,000 input tokens per minute."],
    ["This request would exceed your account's rate limit. Please try again later."],
    ['Number of request tokens has exceeded your per-minute rate limit; see the response headers for current usage.'],
    ['This request would exceed the acceleration limit of your organization: usage grows too fast.'],
    ['Rate limited'],
  ])('429 %j is waited for', (message) => {
    const error = toError(refused(429, 'rate_limit_error', message));
    expect(error).toMatchObject({ name: 'RateLimitedError', retryAfterMs: 0, billed: 'no' });
  });

  it.each([
    [400, 'prompt is too long: 208310 tokens > 200000 maximum'],
    [
      400,
      'input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000, decrease input length or `max_tokens` and try again',
    ],
    [400, "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens."],
    [413, 'Request exceeds the maximum size'],
  ])('%i %j is too long', (status, message) => {
    const error = toError(refused(status, 'invalid_request_error', message));
    expect(error).toMatchObject({ name: 'TaskFailedError', reason: 'too-long', billed: 'no' });
  });

  it.each([
    'messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation',
    'messages.7.content.2: Invalid `signature` in `thinking` block',
  ])('400 %j is thinking of another prompt', (message) => {
    const error = toError(refused(400, 'invalid_request_error', message));
    expect(error).toMatchObject({ name: 'BoundThinkingError', billed: 'no' });
  });

  it.each([
    [400, 'max_tokens: 99999 > 64000, which is the maximum allowed number of output tokens for claude-haiku-5-5'],
    [400, 'messages: text content blocks must be non-empty'],
    [400, 'messages.1.content.0.thinking.signature: Field required'],
    [422, 'unprocessable'],
    [431, 'headers too large'],
  ])('%i %j is a wrong request', (status, message) => {
    const error = toError(refused(status, 'invalid_request_error', message));
    expect(error).toMatchObject({ name: 'TaskFailedError', reason: 'request', billed: 'no' });
  });

  it('404 of the API is about the model', () => {
    const error = toError(refused(404, 'not_found_error', 'model: claude-haiku-9'));
    expect(error).toMatchObject({ reason: 'model', billed: 'no' });
  });
});

it('takes a timeout the SDK reports itself for a request that was sent', () => {
  expect(toError(new APIConnectionTimeoutError())).toMatchObject({
    name: 'ProviderUnavailableError',
    sent: true,
    billed: 'unknown',
  });
});

describe('the shape of a reply', () => {
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: 'end_turn',
    usage: { input_tokens: 1, output_tokens: 2 },
  };

  it('may be empty, and cache counts may be missing or null', () => {
    const usage = { ...message.usage, cache_read_input_tokens: null };
    expect(checkReply({ ...message, usage })).toEqual({
      ok: true,
      reply: {
        id: 'msg_1',
        model: 'm',
        content: [],
        stopReason: 'end_turn',
        usage: { input: 1, cache_write: 0, cache_read: 0, output: 2 },
      },
    });
  });

  it.each([
    ['negative tokens', { usage: { input_tokens: -1, output_tokens: 2 } }, 'usage.input_tokens'],
    ['a tool call without input', { content: [{ type: 'tool_use', id: 't', name: 'n' }] }, 'content.0.input'],
    ['a text block without text', { content: [{ type: 'text' }] }, 'content.0.text'],
    ['content that is a string', { content: 'hi' }, 'content'],
  ])('refuses %s and names the place', (_what, change, place) => {
    const checked = checkReply({ ...message, ...change });
    expect(checked.ok ? '' : checked.rule).toContain(place);
  });
});

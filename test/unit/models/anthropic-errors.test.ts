import { APIConnectionTimeoutError } from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { toFleetError } from '../../../src/models/anthropic/errors.ts';
import { checkReply } from '../../../src/models/anthropic/reply-shape.ts';
import { toRetryAfterMs } from '../../../src/models/retry-after.ts';

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
    [{ 'retry-after': 'later' }, 15_000],
    [{ 'retry-after': '-5' }, 15_000],
  ])('%j is %i ms', (headers, ms) => {
    expect(toRetryAfterMs(new Headers({ ...headers }), NOW)).toBe(ms);
  });
});

it('takes a timeout the SDK reports itself for a request that was sent', () => {
  const error = toFleetError(new APIConnectionTimeoutError(), { model: 'm', redact: (text) => text, now: NOW });
  expect(error).toMatchObject({ name: 'ProviderUnavailableError', sent: true, billed: 'unknown' });
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

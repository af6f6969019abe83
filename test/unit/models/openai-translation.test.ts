import { describe, expect, it } from 'vitest';
import { toDialect } from '../../../src/models/openai/dialect.ts';
import { readChatLimits, toSpanMs } from '../../../src/models/openai/limits.ts';
import { toChatMessages } from '../../../src/models/openai/messages.ts';
import { toRefusalKind } from '../../../src/models/openai/refusal.ts';
import { toStrictSchema, withoutNulls } from '../../../src/models/openai/schema.ts';
import { readChatUsage } from '../../../src/models/openai/usage.ts';

describe('toStrictSchema', () => {
  const schema = {
    type: 'object',
    properties: {
      a: { type: 'string', minLength: 1 },
      b: { type: 'array', items: { oneOf: [{ type: 'integer' }, { $ref: '#/$defs/c' }] } },
      d: { enum: ['x', 'y'] },
    },
    required: ['a'],
    $defs: { c: { type: 'object', properties: { e: { type: ['string', 'null'] }, f: { type: 'number' } } } },
  };

  it('closes objects, requires all properties and lets absent ones be null', () => {
    expect(toStrictSchema(schema)).toEqual({
      type: 'object',
      properties: {
        a: { type: 'string' },
        b: { type: ['array', 'null'], items: { anyOf: [{ type: 'integer' }, { $ref: '#/$defs/c' }] } },
        d: { anyOf: [{ enum: ['x', 'y'] }, { type: 'null' }] },
      },
      required: ['a', 'b', 'd'],
      additionalProperties: false,
      $defs: {
        c: {
          type: 'object',
          properties: { e: { type: ['string', 'null'] }, f: { type: ['number', 'null'] } },
          required: ['e', 'f'],
          additionalProperties: false,
        },
      },
    });
  });

  it.each([
    { type: 'array', items: { type: 'string' } },
    { type: 'object' },
    { type: 'object', properties: {}, additionalProperties: { type: 'string' } },
    { type: 'object', properties: { a: {} } },
    { type: 'object', properties: { a: { allOf: [] } } },
    { type: 'object', properties: { a: { type: 'array' } } },
  ])('refuses %j, which strict mode cannot express', (own) => {
    expect(toStrictSchema(own)).toBeNull();
  });

  it('takes the nulls out again that stand for absent properties, and no others', () => {
    const value = { a: 'x', b: [{ type: 'c', e: null, f: 1 }], d: null };
    expect(withoutNulls(value, schema)).toEqual({ a: 'x', b: [{ type: 'c', e: null, f: 1 }] });
    const nested = { type: 'object', properties: { c: { $ref: '#/$defs/c' } }, required: ['c'], $defs: schema.$defs };
    expect(withoutNulls({ c: { e: null, f: null } }, nested)).toEqual({ c: { e: null } });
  });
});

describe('effort', () => {
  it.each([
    ['openai', 'gpt-5.6-luna', true, { reasoning_effort: 'none' }],
    ['openai', 'gpt-5.6-luna', false, { reasoning_effort: 'max' }],
    ['openai', 'gpt-5.4-mini', false, { reasoning_effort: 'xhigh' }],
    ['openai', 'gpt-5-mini', true, { reasoning_effort: 'high' }],
    ['openai', 'o4-mini', true, { reasoning_effort: 'high' }],
    ['openai', 'gpt-4.1-mini', true, {}],
    ['deepseek', 'deepseek-flash', true, { reasoning_effort: 'max' }],
    ['openrouter', 'a/b', true, { reasoning: { effort: 'xhigh' } }],
    ['mistral', 'mistral-small-2603', true, {}],
    ['acme', 'm', true, {}],
  ] as const)('max of %s %s, with tools %s, is %j', (vendor, model, hasTools, fields) => {
    expect(toDialect(vendor).toEffort(model, { effort: 'max', hasTools, thinks: true })).toEqual(fields);
  });
});

it.each([
  ['openai', 'gpt-5.6-luna', { reasoning_effort: 'none' }],
  ['openai', 'gpt-5-mini', { reasoning_effort: 'low' }],
  ['openai', 'gpt-4.1-mini', {}],
  ['deepseek', 'deepseek-flash', { thinking: { type: 'disabled' } }],
  ['openrouter', 'a/b', { reasoning: { effort: 'none' } }],
])('rules out the thinking of %s %s by %j', (vendor, model, fields) => {
  expect(toDialect(vendor).toEffort(model, { effort: undefined, hasTools: false, thinks: false })).toEqual(fields);
});

it('keeps the answers of tools right after their calls, and an error recognisable', () => {
  const messages = toChatMessages(
    [
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'read', input: {} }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: 'no such file', is_error: true },
          { type: 'text', text: 'One turn is left.' },
        ],
      },
    ],
    'mistral-small-2603',
    toDialect('mistral'),
  );
  const id = expect.stringMatching(/^[a-z0-9]{9}$/);
  expect(messages).toEqual([
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id, type: 'function', function: { name: 'read', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: id, content: 'Error: no such file\n\nOne turn is left.' },
  ]);
});

it.each([
  [
    { prompt_tokens: 10, completion_tokens: 5 },
    { input: 10, cache_read: 0, cache_write: 0, output: 5 },
  ],
  [
    { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 3 } },
    { input: 3, cache_read: 4, cache_write: 3, output: 5 },
  ],
  [
    { prompt_tokens: 10, completion_tokens: 5, prompt_cache_hit_tokens: 8 },
    { input: 2, cache_read: 8, cache_write: 0, output: 5 },
  ],
  [
    { prompt_tokens: 10, completion_tokens: 5, total_tokens: 25 },
    { input: 10, cache_read: 0, cache_write: 0, output: 15 },
  ],
  [{ prompt_tokens: 10 }, undefined],
])('reads the usage %j', (reported, usage) => {
  expect(readChatUsage(reported)).toEqual(usage);
});

it.each([
  ['20ms', 20],
  ['1.2s', 1_200],
  ['6m0s', 360_000],
  ['1h0m3s', 3_603_000],
  ['soon', null],
])('reads the span %s', (text, ms) => {
  expect(toSpanMs(text)).toBe(ms);
});

it("reads Mistral's limits, which name no reset", () => {
  const headers = new Headers({
    'x-ratelimit-limit-req-minute': '60',
    'x-ratelimit-remaining-req-minute': '59',
    'x-ratelimit-limit-tokens-minute': '500000',
    'x-ratelimit-remaining-tokens-minute': '499000',
  });
  expect(readChatLimits(headers, 1_000)).toEqual({
    requests: { limit: 60, remaining: 59, resetAt: 61_000 },
    inputTokens: { limit: 500_000, remaining: 499_000, resetAt: 61_000 },
  });
  expect(readChatLimits(new Headers(), 1_000)).toBeUndefined();
});

it.each([
  [{ status: 429, code: 'insufficient_quota', message: 'You exceeded your current quota' }, 'account'],
  [{ status: 402, message: 'Insufficient Balance' }, 'account'],
  [{ status: 429, type: 'tokens', code: 'rate_limit_exceeded', message: 'Rate limit reached' }, 'rate'],
  [{ status: 429, code: '3505', message: 'Service tier capacity exceeded for this model.' }, 'rate'],
  [{ status: 429, message: 'Request too large for gpt-4o on tokens per min (TPM)' }, 'length'],
  [{ status: 400, code: '3051', message: 'Prompt contains 9 tokens, too large for model' }, 'length'],
  [{ status: 400, message: 'the request exceeds the available context size' }, 'length'],
  [{ status: 400, message: 'The decoder prompt is longer than the maximum model length of 4096.' }, 'length'],
  [{ status: 404, type: 'not_found_error', message: 'model "qwen9" not found, try pulling it first' }, 'model'],
  [{ status: 404, code: '404', message: 'The model `m` does not exist.' }, 'model'],
  [{ status: 404, message: '<html>Not Found</html>' }, 'unavailable'],
  [{ status: 403, message: 'requires moderation on Acme. Your input was flagged for "x"' }, 'refusal'],
  [{ status: 400, code: 'content_filter', message: 'filtered' }, 'refusal'],
  [{ status: 422, message: '{"detail":[{"type":"extra_forbidden"}]}' }, 'request'],
  [{ status: 502, message: 'Bad gateway' }, 'unavailable'],
] as const)('takes %j as %s', (refusal, kind) => {
  expect(toRefusalKind({ type: '', code: '', param: '', ...refusal })).toBe(kind);
});

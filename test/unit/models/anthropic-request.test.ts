import type Anthropic from '@anthropic-ai/sdk';
import type { ContentBlock, Message, TextBlock } from '../../../src/models/format.ts';
import { describe, expect, it } from 'vitest';
import { readLimits } from '../../../src/models/anthropic/limits.ts';
import { toCountedParams, toParams } from '../../../src/models/anthropic/request.ts';
import type { ModelRequest } from '../../../src/models/model.ts';

const EPHEMERAL = { type: 'ephemeral' } as const;
const block = (text: string, cached = false): TextBlock => ({
  type: 'text',
  text,
  ...(cached && { cache_control: EPHEMERAL }),
});
const request = (changes: Partial<ModelRequest> = {}): ModelRequest => ({
  model: 'claude-haiku-5-5',
  system: [block('Be brief.')],
  messages: [{ role: 'user', content: 'hello' }],
  tools: [{ name: 'read', description: 'Reads a file.', input_schema: { type: 'object' } }],
  maxTokens: 100,
  ...changes,
});

describe('cache breakpoints', () => {
  const marked = (params: Anthropic.MessageCreateParams): boolean[] =>
    (params.system as TextBlock[]).map(({ cache_control: control }) => control !== undefined);

  it('are on the last system block and on the conversation', () => {
    const params = toParams(request({ system: [block('a'), block('b')] }));
    expect(marked(params)).toEqual([false, true]);
    expect(params.cache_control).toEqual(EPHEMERAL);
  });

  it('leave those of contexts where they are, four in all', () => {
    const two = toParams(request({ system: [block('a', true), block('b', true), block('c')] }));
    expect(marked(two)).toEqual([true, true, true]);
    const three = toParams(request({ system: [block('a', true), block('b', true), block('c', true), block('d')] }));
    expect(marked(three)).toEqual([true, true, true, false]);
  });

  it('of messages count too', () => {
    const messages: Message[] = [{ role: 'user', content: [block('a', true), block('b', true), block('c', true)] }];
    expect(marked(toParams(request({ messages })))).toEqual([false]);
  });

  it('are not on a block without text, which the API refuses', () => {
    expect(marked(toParams(request({ system: [block('')] })))).toEqual([false]);
  });

  it('are only those of the blocks for a prompt that nobody sends again', () => {
    const params = toParams(request({ cache: 'none', system: [block('a', true), block('b')] }));
    expect(marked(params)).toEqual([true, false]);
    expect(params).not.toHaveProperty('cache_control');
  });
});

it('sends effort beside the schema, and forbids tools only where there are some', () => {
  const params = toParams(request({ effort: 'low', toolChoice: 'none', outputSchema: { type: 'object' } }));
  expect(params).toMatchObject({
    output_config: { effort: 'low', format: { type: 'json_schema', schema: { type: 'object' } } },
    tool_choice: { type: 'none' },
  });
  const bare = toParams(request({ tools: [], toolChoice: 'none' }));
  expect(bare).not.toHaveProperty('tool_choice');
  expect(bare).not.toHaveProperty('output_config');
});

it.each([
  ['claude-haiku-5-5', true],
  ['claude-sonnet-5-5', true],
  ['claude-sonnet-4-6', true],
  ['claude-opus-4-5', true],
  ['claude-haiku-4-5', false],
  ['claude-sonnet-4-5', false],
  ['claude-sonnet-4-5-20250929', false],
])('tells %s its effort: %s', (model, isTold) => {
  const { output_config: config } = toParams(request({ model, effort: 'low', outputSchema: { type: 'object' } }));
  expect(config?.effort).toBe(isTold ? 'low' : undefined);
  expect(config?.format).toBeDefined();
});

it('sends no half of a surrogate pair, wherever it is', () => {
  const half = '🐘'.slice(0, 1);
  const params = toParams(
    request({
      system: [block(`a${half}`)],
      messages: [
        { role: 'user', content: half },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'read', input: { [half]: [half] } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: half }] },
      ],
      tools: [{ name: 'read', description: half, input_schema: { type: 'object' } }],
      outputSchema: { type: 'object', description: half },
    }),
  );
  expect(JSON.stringify(params)).not.toMatch(/\\ud[89a-f]/);
  expect(JSON.stringify(params)).toContain('a\ufffd');
});

it('counts the same prompt that it sends', () => {
  const full = request({ effort: 'low', user: 'job-1' });
  const { max_tokens: most, stream, cache_control: cache, metadata, ...counted } = toParams(full);
  expect([most, stream, cache, metadata]).toEqual([100, true, EPHEMERAL, { user_id: 'job-1' }]);
  expect(toCountedParams(full)).toEqual(counted);
});

describe('limits of an answer', () => {
  const state = (what: string, limit: string, remaining: string, reset: string): [string, string][] => [
    [`anthropic-ratelimit-${what}-limit`, limit],
    [`anthropic-ratelimit-${what}-remaining`, remaining],
    [`anthropic-ratelimit-${what}-reset`, reset],
  ];
  const at = '2026-11-25T12:00:30Z';

  it('are those of requests and of tokens each way', () => {
    const headers = new Headers([
      ...state('requests', '1000', '999', at),
      ...state('input-tokens', '2000000', '1999000', at),
      ...state('output-tokens', '400000', '0', at),
      ...state('tokens', '2400000', '2399000', at),
    ]);
    expect(readLimits(headers)).toEqual({
      requests: { limit: 1_000, remaining: 999, resetAt: Date.parse(at) },
      inputTokens: { limit: 2_000_000, remaining: 1_999_000, resetAt: Date.parse(at) },
      outputTokens: { limit: 400_000, remaining: 0, resetAt: Date.parse(at) },
    });
  });

  it.each([
    ['none', []],
    ['no number', state('requests', 'many', '999', at)],
    ['no instant', state('requests', '1000', '999', 'soon')],
    ['a part', state('requests', '1000', '999', at).slice(0, 2)],
  ])('are unknown where the headers state %s', (_what, headers) => {
    expect(readLimits(new Headers(headers))).toBeUndefined();
  });
});

describe('what other models wrote', () => {
  const messages: Message[] = [
    { role: 'user', content: [{ type: 'text', text: 'how long is a.txt?' }] },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'I read it.', signature: '', opaque: { api: 'openai', model: 'gpt' } },
        { type: 'tool_use', id: 't', name: 'read', input: {}, opaque: { api: 'gemini', model: 'g', signature: 's' } },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: '3' }] },
  ];

  it('is sent without its thinking and its opaque fields, the calls of tools are kept', () => {
    const [first, second, third] = toParams(request({ messages })).messages;
    expect([first, third]).toEqual([messages[0], messages[2]]);
    expect(second).toEqual({ role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'read', input: {} }] });
  });

  it('goes as a whole where it was thinking alone', () => {
    const [question, answer, result] = messages as [Message, Message & { content: object[] }, Message];
    const alone: Message[] = [question, { role: 'assistant', content: [answer.content[0] as ContentBlock] }, result];
    expect(toParams(request({ messages: alone })).messages).toEqual([question, result]);
  });
});

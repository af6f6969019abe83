import { beforeEach, describe, expect, it } from 'vitest';
import { type OpenAiSimulator, startOpenAiSimulator } from '../../../simulator/openai/server.ts';
import type { ContentBlock, Message } from '../../../src/models/format.ts';
import type { ModelLimits, ModelReply, ModelRequest } from '../../../src/models/model.ts';
import { createOpenAiModel, type OpenAiOptions } from '../../../src/models/openai/adapter.ts';
import { startRawProvider } from '../../support/models/raw-provider.ts';

let simulator: OpenAiSimulator;

beforeEach(async () => {
  simulator = await startOpenAiSimulator({ latencyMs: 0 });
  return () => simulator.close();
});

const open = (vendor: string, more: Partial<OpenAiOptions> = {}) =>
  createOpenAiModel({
    apiKey: vendor === 'ollama' ? '' : 'local-test-key',
    vendor,
    baseUrl: `${simulator.url}/openai/v1`,
    idleMs: 20_000,
    totalMs: 20_000,
    ...more,
  });
const signal = new AbortController().signal;
const question: Message = { role: 'user', content: 'Describe a.txt and b.txt. [[turns:3]]' };
const read = {
  name: 'read',
  description: 'Reads a file.',
  input_schema: { type: 'object' as const, properties: { file_path: { type: 'string' } }, required: ['file_path'] },
};
const ask = (model: string, more: Partial<ModelRequest> = {}): ModelRequest => ({
  model,
  system: [{ type: 'text', text: 'Be brief.' }],
  messages: [question],
  tools: [read],
  maxTokens: 4_000,
  effort: 'medium',
  user: 'job-1',
  ...more,
});
const toAnswer = (reply: ModelReply, note: ContentBlock[] = []): Message => ({
  role: 'user',
  content: [
    ...reply.content.flatMap((block): ContentBlock[] =>
      block.type === 'tool_use' ? [{ type: 'tool_result', tool_use_id: block.id, content: '1\tone' }] : [],
    ),
    ...note,
  ],
});

describe.each([
  ['openai', 'gpt-5.6-luna'],
  ['openai', 'gpt-5-mini'],
  ['openai', 'gpt-4.1-mini'],
  ['deepseek', 'deepseek-flash'],
  ['mistral', 'mistral-small-2603'],
  ['ollama', 'qwen3:8b'],
])('%s with %s', (vendor, id) => {
  it('goes through a tool loop that another model began, and reports what the provider bills', async () => {
    const model = open(vendor);
    const begun: Message[] = [
      question,
      {
        role: 'assistant',
        content: [
          {
            type: 'thinking',
            thinking: 'Hm.',
            signature: 'sig',
            opaque: { api: 'anthropic', model: 'claude-haiku-5-5' },
          },
          { type: 'text', text: 'Reading.' },
          { type: 'tool_use', id: `toolu_${'x'.repeat(60)}`, name: 'read', input: { file_path: 'a.txt' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: `toolu_${'x'.repeat(60)}`, content: 'no such file', is_error: true },
          { type: 'text', text: 'Two turns are left.' },
        ],
      },
    ];
    const first = await model.call(ask(id, { messages: begun }), { signal });
    expect(first).toMatchObject({
      stopReason: 'tool_use',
      content: expect.arrayContaining([expect.objectContaining({ type: 'tool_use', name: 'read' })]),
    });
    const grown: Message[] = [...begun, { role: 'assistant', content: first.content }, toAnswer(first)];
    const last = await model.call(ask(id, { messages: grown, toolChoice: 'none' }), { signal });
    expect(last).toMatchObject({ stopReason: 'end_turn' });
    expect(last.content.at(-1)).toMatchObject({ type: 'text', text: expect.stringContaining('(simulated model)') });
    expect(simulator.requests().map(({ usage }) => usage)).toEqual([first.usage, last.usage]);
    expect(simulator.requests().map(({ status }) => status)).toEqual([200, 200]);
  });

  it('holds a reply to a schema, with properties that may be absent', async () => {
    const outputSchema = {
      type: 'object',
      properties: {
        summary: { type: 'string', minLength: 1 },
        extra: { type: 'object', properties: { n: { type: 'integer' } }, additionalProperties: false },
      },
      required: ['summary'],
      additionalProperties: false,
    };
    const reply = await open(vendor).call(ask(id, { tools: [], outputSchema }), { signal });
    const text = reply.content.find((block) => block.type === 'text')?.text ?? '';
    expect(JSON.parse(text)).toMatchObject({ summary: expect.stringContaining('(simulated model)') });
    expect(simulator.requests()).toHaveLength(1);
  });
});

describe('fails', () => {
  it.each([
    ['authentication', { name: 'AccountRefusedError', billed: 'no' }],
    ['balance', { name: 'AccountRefusedError', billed: 'no' }],
    ['permission', { name: 'AccountRefusedError', billed: 'no' }],
    ['quota', { name: 'AccountRefusedError', billed: 'no' }],
    ['model-gone', { name: 'TaskFailedError', reason: 'model', billed: 'no' }],
    ['invalid-request', { name: 'TaskFailedError', reason: 'request', billed: 'no' }],
    ['too-long', { name: 'TaskFailedError', reason: 'too-long', billed: 'no' }],
    ['too-large', { name: 'TaskFailedError', reason: 'too-long', billed: 'no' }],
    ['request-too-large', { name: 'TaskFailedError', reason: 'too-long', billed: 'no' }],
    ['content-policy', { name: 'TaskFailedError', reason: 'refusal', billed: 'no' }],
    ['rate-limit', { name: 'RateLimitedError', retryAfterMs: 1_000, billed: 'no' }],
    ['server-error', { name: 'ProviderUnavailableError', sent: false, billed: 'no' }],
    ['overloaded', { name: 'ProviderUnavailableError', sent: false, billed: 'no' }],
    ['reset-before', { name: 'ProviderUnavailableError', sent: true, billed: 'unknown' }],
    ['reset-after', { name: 'ProviderUnavailableError', sent: true, billed: 'unknown' }],
    ['html', { name: 'TaskFailedError', reason: 'malformed', billed: 'unknown' }],
    ['cut', { name: 'ProviderUnavailableError', sent: true, billed: 'unknown' }],
    ['reset-mid-stream', { name: 'ProviderUnavailableError', sent: true, billed: 'unknown' }],
    ['overloaded-mid-stream', { name: 'ProviderUnavailableError', sent: true, billed: 'unknown' }],
    ['error-mid-stream', { name: 'ProviderUnavailableError', sent: true, billed: 'unknown' }],
    ['no-finish', { name: 'ProviderUnavailableError', sent: true, billed: 'unknown' }],
    ['finish-reason', { name: 'ProviderUnavailableError', sent: true, billed: { output: expect.any(Number) } }],
    ['bad-tool-json', { name: 'TaskFailedError', reason: 'malformed', billed: { output: expect.any(Number) } }],
  ] as const)('of %s', async (kind, expected) => {
    simulator.configure({ faults: [{ kind }] });
    await expect(open('openai').call(ask('gpt-4.1-mini'), { signal })).rejects.toMatchObject(expected);
    expect(simulator.requests()).toHaveLength(1);
  });

  it('of silence, of a connection that is never made, and of a vendor without an address', async () => {
    simulator.configure({ faults: [{ kind: 'stall' }] });
    await expect(open('openai', { idleMs: 100 }).call(ask('gpt-4.1-mini'), { signal })).rejects.toMatchObject({
      name: 'CallTimeoutError',
      billed: 'unknown',
    });
    const { port, close } = await startOpenAiSimulator();
    await close();
    const nowhere = open('openai', { baseUrl: `http://127.0.0.1:${port}/v1` });
    await expect(nowhere.call(ask('gpt-4.1-mini'), { signal })).rejects.toMatchObject({ sent: false, billed: 'no' });
    const invisible = open('openai', { apiKey: 'local-test-key\u200b' });
    await expect(invisible.call(ask('gpt-4.1-mini'), { signal })).rejects.toMatchObject({
      billed: 'no',
      message: expect.stringContaining('no header can hold'),
    });
    const unnamed = open('acme', { baseUrl: undefined });
    await expect(unnamed.call(ask('m'), { signal })).rejects.toThrow('its row names no base_url');
  });

  it('without the key in any text', async () => {
    const key = `made-${'up'.repeat(10)}`;
    simulator.configure({ faults: [{ kind: 'server-error', message: `proxy of ${key}` }] });
    const error: unknown = await open('openai', { apiKey: key })
      .call(ask('gpt-4.1-mini'), { signal })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message: expect.not.stringContaining(key),
      cause: { message: expect.not.stringContaining(key) },
    });
  });
});

describe('reads', () => {
  it.each([
    ['refusal', { stopReason: 'refusal' }],
    ['content-filter', { stopReason: 'refusal' }],
    ['cut-off', { stopReason: 'max_tokens' }],
    ['stop-with-calls', { stopReason: 'tool_use' }],
    ['empty-content', { stopReason: 'end_turn', content: [] }],
    ['unknown-tool', { stopReason: 'tool_use', content: [{ name: 'teleport' }] }],
  ] as const)('%s', async (kind, expected) => {
    simulator.configure({ faults: [{ kind }] });
    expect(await open('openai').call(ask('gpt-4.1-mini'), { signal })).toMatchObject(expected);
  });

  it('calls without ids, or with one that was used before, under ids of their own', async () => {
    simulator.configure({ faults: [{ kind: 'repeated-call-ids', when: { turn: 0 } }, { kind: 'no-call-ids' }] });
    const model = open('openai');
    const idsOf = ({ content }: ModelReply): string[] =>
      content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
    const first = await model.call(ask('gpt-4.1-mini'), { signal });
    const messages: Message[] = [question, { role: 'assistant', content: first.content }, toAnswer(first)];
    const second = await model.call(ask('gpt-4.1-mini', { messages }), { signal });
    const ids = [...idsOf(first), ...idsOf(second)];
    expect(ids.length).toBeGreaterThan(1);
    expect(ids.every((id) => /^[\w-]{1,40}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('a reply without usage as the most that it can have cost', async () => {
    simulator.configure({ faults: [{ kind: 'no-usage' }] });
    const reply = await open('openai').call(ask('gpt-4.1-mini'), { signal });
    const billed = simulator.requests()[0]?.usage;
    expect(reply.isUsageBound).toBe(true);
    expect(reply.usage.input).toBeGreaterThanOrEqual(billed?.input ?? Infinity);
    expect(reply.usage.output).toBeGreaterThanOrEqual(billed?.output ?? Infinity);
  });

  it('cached tokens, what the cache was written, and the limits', async () => {
    const long = ask('gpt-5.6-luna', { system: [{ type: 'text', text: 'x'.repeat(6_000) }] });
    const limits: ModelLimits[] = [];
    const first = await open('openai').call(long, { signal, onLimits: (stated) => limits.push(stated) });
    const second = await open('openai').call({ ...long, user: 'job-2' }, { signal });
    expect(first.usage.cache_write).toBeGreaterThan(1_024);
    expect(second.usage).toMatchObject({ cache_read: first.usage.cache_write, cache_write: 0 });
    expect(limits).toMatchObject([{ requests: { limit: 500, remaining: 499 }, inputTokens: { limit: 500_000 } }]);
    expect(limits[0]?.inputTokens?.resetAt).toBeGreaterThan(Date.now() - 1_000);
  });
});

it.each(['no-schema', 'no-stream-options'] as const)(
  'asks again without the field of %s, once for a model',
  async (kind) => {
    simulator.configure({ faults: [{ kind }] });
    const outputSchema = {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
      additionalProperties: false,
    };
    const model = open('vllm');
    for (let i = 0; i < 2; i += 1) await model.call(ask('gpt-4.1-mini', { outputSchema, tools: [] }), { signal });
    expect(simulator.requests().map(({ status }) => status)).toEqual([400, 200, 200]);
  },
);

it('takes chunks as other servers write them, and sends their reasoning back', async () => {
  const chunks = [
    { id: '', choices: [{ index: 0, delta: { role: 'assistant', content: null, reasoning: 'Let me ' } }] },
    {
      choices: [
        {
          index: 0,
          delta: { reasoning: 'see.', reasoning_details: [{ type: 'reasoning.text', text: 'Let me ', index: 0 }] },
        },
      ],
    },
    {
      choices: [
        {
          index: 0,
          delta: { reasoning_details: [{ type: 'reasoning.text', text: 'see.', signature: 's', index: 0 }] },
        },
      ],
    },
    { choices: [{ index: 0, delta: { content: [{ type: 'text', text: 'Hi.' }] } }] },
    // Two whole calls under one index, the second without arguments.
    {
      choices: [
        {
          index: 0,
          delta: { tool_calls: [{ index: 0, id: 'a', function: { name: 'read', arguments: '{"file_path":"a"}' } }] },
        },
      ],
    },
    {
      choices: [
        { index: 0, delta: { tool_calls: [{ index: 0, id: 'b', function: { name: 'list', arguments: '' } }] } },
      ],
    },
    {
      choices: [
        {
          index: 0,
          delta: {},
          finish_reason: 'tool_calls',
          usage: { prompt_tokens: 10, completion_tokens: 3, total_tokens: 20 },
        },
      ],
    },
  ];
  const provider = await startRawProvider((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(
      `: comment\n\n${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')}data: [DONE]\n\n`,
    );
  });
  const model = open('openrouter', { baseUrl: `${provider.url}/v1/` });
  const reply = await model.call(ask('deep/thinker'), { signal });
  const kept = {
    field: 'reasoning',
    details: [{ type: 'reasoning.text', text: 'Let me see.', signature: 's', index: 0 }],
  };
  expect(reply).toMatchObject({
    stopReason: 'tool_use',
    usage: { input: 10, output: 10, cache_read: 0, cache_write: 0 },
    content: [
      {
        type: 'thinking',
        thinking: 'Let me see.',
        signature: '',
        opaque: { api: 'openai', model: 'deep/thinker', ...kept },
      },
      { type: 'text', text: 'Hi.' },
      { type: 'tool_use', id: 'a', name: 'read', input: { file_path: 'a' } },
      { type: 'tool_use', id: 'b', name: 'list', input: {} },
    ],
  });
  const messages: Message[] = [question, { role: 'assistant', content: reply.content }, toAnswer(reply)];
  await model.call(ask('deep/thinker', { messages }), { signal });
  await model.call(ask('another/model', { messages }), { signal });
  const sent = provider.requests.map(({ body }) => (body['messages'] as Record<string, unknown>[])[2]);
  expect(sent[1]).toMatchObject({ reasoning: 'Let me see.', reasoning_details: kept.details });
  expect(sent[2]).not.toHaveProperty('reasoning');
  expect(provider.requests[0]?.body).toMatchObject({
    reasoning: { effort: 'medium' },
    max_tokens: 4_000,
    stream_options: { include_usage: true },
  });
});

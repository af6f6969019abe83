import { LLMock } from '@copilotkit/aimock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type GeminiSimulator, startGeminiSimulator } from '../../../simulator/gemini/server.ts';
import type { Message, ToolDefinition } from '../../../src/models/format.ts';
import { createGeminiModel } from '../../../src/models/gemini/adapter.ts';
import type { Model, ModelReply, ModelRequest } from '../../../src/models/model.ts';

const MODEL = 'gemini-3.5-flash-lite';
const never = new AbortController().signal;
const READ: ToolDefinition = {
  name: 'read',
  description: 'Reads a file.',
  input_schema: {
    type: 'object',
    properties: { file_path: { type: 'string' } },
    required: ['file_path'],
    additionalProperties: false,
  },
};
const TASK = '<task kind="read">\nSummarise a.txt and b.txt\n</task>\n';

let simulator: GeminiSimulator;
let model: Model;
beforeEach(async () => {
  simulator = await startGeminiSimulator({ rules: 'real', latencyMs: 0, limits: { all: {} } });
  model = createGeminiModel({ apiKey: 'any', baseUrl: simulator.url, idleMs: 5_000, totalMs: 10_000 });
});
afterEach(() => simulator.close());

const toRequest = (messages: Message[], more: Partial<ModelRequest> = {}): ModelRequest => ({
  model: MODEL,
  system: [{ type: 'text', text: 'You work.' }],
  messages,
  tools: [READ],
  maxTokens: 4_000,
  ...more,
});
const ask = (messages: Message[], more: Partial<ModelRequest> = {}): Promise<ModelReply> =>
  model.call(toRequest(messages, more), { signal: never });
const FIRST: Message = { role: 'user', content: TASK };

/** The answer to each call of a reply. */
function answer({ content }: ModelReply): Message[] {
  const results = content.flatMap((block) =>
    block.type === 'tool_use'
      ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: '     1\tten words\n' }]
      : [],
  );
  return [
    { role: 'assistant', content },
    { role: 'user', content: results },
  ];
}

it('calls tools in parallel, sends their results back and ends with an answer, at the cost that the provider bills', async () => {
  const called = await ask([FIRST]);
  expect(called).toMatchObject({ stopReason: 'tool_use', model: MODEL });
  const uses = called.content.filter((block) => block.type === 'tool_use');
  expect(uses.map(({ input }) => input)).toEqual([{ file_path: 'a.txt' }, { file_path: 'b.txt' }]);
  expect(new Set(uses.map(({ id }) => id)).size).toBe(2);
  const said = await ask([FIRST, ...answer(called)]);
  expect(said).toMatchObject({
    stopReason: 'end_turn',
    content: [{ type: 'text', text: expect.stringContaining('simulated') }],
  });
  expect(simulator.requests().map(({ usage }) => usage)).toEqual([called.usage, said.usage]);
  const again = await ask([FIRST, ...answer(called), ...answer(said), { role: 'user', content: 'And c.txt?' }]);
  expect(again.content).not.toEqual([]);
});

it('goes on with the calls of another model, of Gemini or of another vendor', async () => {
  const called = await ask([FIRST], { model: 'gemini-3.8-flash' });
  await expect(ask([FIRST, ...answer(called)])).resolves.toMatchObject({ stopReason: 'end_turn' });
  const foreign: ModelReply = {
    ...called,
    content: [
      { type: 'thinking', thinking: '', signature: 'bound' },
      { type: 'tool_use', id: 'toolu_01', name: 'read', input: { file_path: 'a.txt' } },
    ],
  };
  await expect(ask([FIRST, ...answer(foreign)])).resolves.toMatchObject({ stopReason: expect.any(String) });
});

it('sends a conversation once more without signatures that the provider refuses', async () => {
  const called = await ask([FIRST]);
  const content = called.content.map((block) =>
    block.type === 'tool_use' && block.opaque !== undefined
      ? { ...block, opaque: { ...block.opaque, thoughtSignature: 'YmFk' } }
      : block,
  );
  await expect(ask([FIRST, ...answer({ ...called, content })])).resolves.toMatchObject({ stopReason: 'end_turn' });
  expect(simulator.requests().map(({ status }) => status)).toEqual([200, 400, 200]);
});

describe('a reply that', () => {
  it.each([
    ['malformed-call', { content: [], stopReason: 'end_turn' }],
    ['unexpected-call', { content: [], stopReason: 'end_turn' }],
    ['no-candidates', { content: [], stopReason: 'end_turn' }],
    ['empty-text', { content: [], stopReason: 'end_turn' }],
    ['blocked', { content: [], stopReason: 'refusal' }],
    ['safety', { content: [], stopReason: 'refusal' }],
    ['recitation', { stopReason: 'refusal' }],
    ['max-tokens', { stopReason: 'max_tokens' }],
    ['thinking', { stopReason: 'tool_use' }],
    ['unknown-tool', { stopReason: 'tool_use', content: [{ type: 'tool_use', name: 'teleport' }] }],
  ] as const)('is spoilt is read with its cost: %s', async (kind, expected) => {
    simulator.configure({ faults: [{ kind }] });
    const reply = await ask([FIRST]);
    expect(reply).toMatchObject(expected);
    expect(reply.usage).toEqual(simulator.served().usage);
  });

  it('ends in its middle costs what was sent', async () => {
    simulator.configure({ faults: [{ kind: 'cut', afterEvents: 1 }] });
    const error: unknown = await ask([FIRST]).catch((thrown: unknown) => thrown);
    const { usage } = simulator.served();
    expect(usage.output).toBeGreaterThan(0);
    expect(error).toMatchObject({ name: 'ProviderUnavailableError', billed: { reported: usage } });
  });
});

it('reads the calls of another simulated provider, and sends their results back', async () => {
  const mock = new LLMock({ port: 0, host: '127.0.0.1' });
  mock.onMessage('Summarise', (request) =>
    request.messages.some(({ role }) => role === 'tool')
      ? { content: 'Both have ten words.' }
      : {
          toolCalls: ['a.txt', 'b.txt'].map((file_path) => ({
            name: 'read',
            arguments: JSON.stringify({ file_path }),
          })),
        },
  );
  await mock.start();
  try {
    const theirs = createGeminiModel({ apiKey: 'any', baseUrl: mock.url, idleMs: 5_000, totalMs: 10_000 });
    const called = await theirs.call(toRequest([FIRST]), { signal: never });
    expect(called).toMatchObject({ stopReason: 'tool_use' });
    expect(called.content.map((block) => block.type === 'tool_use' && block.input)).toEqual([
      { file_path: 'a.txt' },
      { file_path: 'b.txt' },
    ]);
    const said = await theirs.call(toRequest([FIRST, ...answer(called)]), { signal: never });
    expect(said).toMatchObject({ stopReason: 'end_turn', content: [{ text: 'Both have ten words.' }] });
  } finally {
    await mock.stop();
  }
});

describe('a schema', () => {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(z.strictObject({ lines: z.int(), summary: z.string() }));

  it('is kept by the provider, also beside tools', async () => {
    const [block] = (await ask([FIRST], { tools: [], outputSchema: schema })).content;
    expect(JSON.parse(block?.type === 'text' ? block.text : '')).toEqual({
      lines: expect.any(Number),
      summary: expect.any(String),
    });
    await expect(ask([FIRST], { outputSchema: schema })).resolves.toMatchObject({ stopReason: 'tool_use' });
  });

  it('is told in words to a model that takes none beside tools', async () => {
    const reply = await ask([FIRST], { model: 'gemini-2.5-flash-lite', outputSchema: schema });
    expect(reply.stopReason).toBe('tool_use');
    expect(simulator.requests().map(({ status }) => status)).toEqual([200]);
  });
});

it('calls no tool where the request forbids it, and thinks as much as it is told', async () => {
  const reply = await ask([FIRST], { toolChoice: 'none', effort: 'low' });
  expect(reply.stopReason).toBe('end_turn');
  await expect(ask([FIRST], { model: 'gemini-2.5-flash-lite', effort: 'max' })).resolves.toMatchObject({
    stopReason: 'tool_use',
  });
});

it('counts a request for free, about as it is billed', async () => {
  const counted = await model.countTokens(toRequest([FIRST]), { signal: never });
  const { usage } = await ask([FIRST]);
  expect(Math.abs((counted ?? 0) / usage.input - 1)).toBeLessThan(0.1);
});

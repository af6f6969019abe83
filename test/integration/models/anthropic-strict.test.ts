import type { Message, ToolDefinition } from '../../../src/models/format.ts';
import { expect, it, onTestFinished } from 'vitest';
import {
  type AnthropicSimulator,
  type SimulatorOptions,
  startAnthropicSimulator,
} from '../../../simulator/anthropic/server.ts';
import { createAnthropicModel } from '../../../src/models/anthropic/adapter.ts';
import type { Model, ModelLimits, ModelRequest } from '../../../src/models/model.ts';

const signal = new AbortController().signal;
const MODEL = 'claude-haiku-5-5';
const READ: ToolDefinition = {
  name: 'read',
  description: 'Reads a file.',
  input_schema: { type: 'object', properties: { file_path: { type: 'string' } }, required: ['file_path'] },
};

/** A provider that refuses what the real one refuses. */
async function open(options: SimulatorOptions = {}): Promise<{ model: Model; simulator: AnthropicSimulator }> {
  const simulator = await startAnthropicSimulator({ rules: 'real', latencyMs: 0, ...options });
  onTestFinished(() => simulator.close());
  const limits = { idleMs: 10_000, totalMs: 10_000 };
  return { simulator, model: createAnthropicModel({ apiKey: 'local-test-key', baseUrl: simulator.url, ...limits }) };
}

const toRequest = (changes: Partial<ModelRequest> = {}): ModelRequest => ({
  model: MODEL,
  system: [{ type: 'text', text: 'You work alone. '.repeat(200) }],
  messages: [{ role: 'user', content: 'Say hello.' }],
  tools: [READ],
  maxTokens: 4_000,
  ...changes,
});

it('gets a signed thought before the text, and may send it back unchanged', async () => {
  const { model } = await open();
  const reply = await model.call(toRequest(), { signal });
  expect(reply.content[0]).toMatchObject({ type: 'thinking', thinking: '', signature: expect.stringMatching(/./) });
  const messages: Message[] = [
    ...toRequest().messages,
    { role: 'assistant', content: reply.content },
    { role: 'user', content: 'Again.' },
  ];
  await expect(model.call(toRequest({ messages }), { signal })).resolves.toMatchObject({ geo: 'global' });
  const moved = toRequest({ messages, system: [{ type: 'text', text: 'You work with others.' }] });
  await expect(model.call(moved, { signal })).rejects.toMatchObject({ name: 'BoundThinkingError', billed: 'no' });
});

it('asks a model that knows no effort without one', async () => {
  const { model, simulator } = await open();
  await expect(
    model.call(toRequest({ model: 'claude-haiku-4-5', effort: 'medium' }), { signal }),
  ).resolves.toMatchObject({
    model: 'claude-haiku-4-5',
  });
  const refused = await fetch(`${simulator.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'local-test-key', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'claude-haiku-4-5',
      max_tokens: 10,
      messages: [{ role: 'user', content: 'Hello.' }],
      output_config: { effort: 'medium' },
    }),
  });
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('effort parameter')]);
});

it('thinks more with more effort', async () => {
  const { model } = await open();
  const sum = async (effort: 'low' | 'max'): Promise<number> => {
    const words = ['one', 'two', 'three', 'four', 'five'];
    const requests = words.map((word) => toRequest({ effort, messages: [{ role: 'user', content: `Say ${word}.` }] }));
    const replies = await Promise.all(requests.map((request) => model.call(request, { signal })));
    return replies.reduce((total, { usage }) => total + usage.output, 0);
  };
  expect(await sum('low')).toBeLessThan(await sum('max'));
});

it('shares the prompt before the conversation with other conversations', async () => {
  const { model } = await open();
  const first = await model.call(toRequest(), { signal });
  const second = await model.call(toRequest({ messages: [{ role: 'user', content: 'Say good bye.' }] }), { signal });
  expect(first.usage.cache_read).toBe(0);
  expect(second.usage.cache_read).toBeGreaterThan(500);
});

it('writes nothing to the cache for a prompt that nobody sends again', async () => {
  const { model } = await open();
  const { usage } = await model.call(toRequest({ cache: 'none' }), { signal });
  expect(usage).toMatchObject({ cache_write: 0, cache_read: 0 });
});

it('uses no tool where it may not', async () => {
  const { model } = await open();
  const messages: Message[] = [{ role: 'user', content: 'Read a.txt and say what it holds.' }];
  const reply = await model.call(toRequest({ messages, toolChoice: 'none' }), { signal });
  expect(reply.stopReason).toBe('end_turn');
});

it('takes a text with half a character', async () => {
  const { model } = await open();
  const messages: Message[] = [{ role: 'user', content: `Say ${'🐘'.slice(0, 1)}` }];
  await expect(model.call(toRequest({ messages }), { signal })).resolves.toMatchObject({ stopReason: 'end_turn' });
});

it('is told the limits, also by a refusal', async () => {
  const { model } = await open({ limits: { [MODEL]: { requests: 60, burstMs: 1_000 } } });
  const told: ModelLimits[] = [];
  const onLimits = (limits: ModelLimits): number => told.push(limits);
  await model.call(toRequest(), { signal, onLimits });
  await expect(model.call(toRequest(), { signal, onLimits })).rejects.toMatchObject({ name: 'RateLimitedError' });
  expect(told).toMatchObject([{ requests: { limit: 60 } }, { requests: { limit: 60, remaining: 0 } }]);
});

it('counts as many tokens as the call is billed for', async () => {
  const { model } = await open();
  const counted = await model.countTokens(toRequest(), { signal });
  const { usage } = await model.call(toRequest({ cache: 'none' }), { signal });
  expect(usage.input).toBe(counted);
});

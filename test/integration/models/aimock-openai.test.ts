import { LLMock } from '@copilotkit/aimock';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Message } from '../../../src/models/format.ts';
import type { Model, ModelRequest } from '../../../src/models/model.ts';
import { createOpenAiModel } from '../../../src/models/openai/adapter.ts';

/** A simulated provider of another project. */
let provider: LLMock;
let model: Model;

beforeEach(async () => {
  provider = new LLMock({ port: 0, host: '127.0.0.1' });
  await provider.start();
  const limits = { idleMs: 20_000, totalMs: 20_000 };
  model = createOpenAiModel({ apiKey: 'local-test-key', vendor: 'openai', baseUrl: `${provider.url}/v1`, ...limits });
});

afterEach(async () => {
  await provider.stop();
});

const question: Message = { role: 'user', content: 'how long are a.txt and b.txt?' };
const ask = (messages: Message[]): ModelRequest => ({
  model: 'gpt-5.6-luna',
  system: [{ type: 'text', text: 'Be brief.' }],
  messages,
  tools: [
    {
      name: 'read',
      description: 'Reads a file.',
      input_schema: { type: 'object', properties: { file_path: { type: 'string' } } },
    },
  ],
  maxTokens: 100,
});
const signal = new AbortController().signal;

it('goes through a round of parallel calls', async () => {
  const calls = ['a.txt', 'b.txt'].map((path, i) => ({
    id: `call_${i}`,
    name: 'read',
    arguments: JSON.stringify({ file_path: path }),
  }));
  provider.on({ userMessage: 'how long', hasToolResult: false }, { toolCalls: calls, reasoning: 'Two files.' });
  provider.on({ toolCallId: 'call_1' }, { content: 'Three lines each.' });

  const asked = await model.call(ask([question]), { signal });
  expect(asked.stopReason).toBe('tool_use');
  expect(asked.content.filter((block) => block.type === 'tool_use')).toEqual([
    { type: 'tool_use', id: 'call_0', name: 'read', input: { file_path: 'a.txt' } },
    { type: 'tool_use', id: 'call_1', name: 'read', input: { file_path: 'b.txt' } },
  ]);

  const answer: Message = {
    role: 'user',
    content: calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: '1\n2\n3' })),
  };
  const told = await model.call(ask([question, { role: 'assistant', content: asked.content }, answer]), { signal });
  expect(told).toMatchObject({ stopReason: 'end_turn', content: [{ type: 'text', text: 'Three lines each.' }] });
  expect(told.usage.output).toBeGreaterThan(0);
});

it.each([
  [429, { name: 'RateLimitedError', billed: 'no' }],
  [503, { name: 'ProviderUnavailableError', sent: false, billed: 'no' }],
  [401, { name: 'AccountRefusedError', billed: 'no' }],
])('meets %i once, and the next call goes well', async (status, expected) => {
  provider.onMessage('how long', { content: 'Three lines.' });
  provider.nextRequestError(status, { message: 'not now', type: 'error' });
  await expect(model.call(ask([question]), { signal })).rejects.toMatchObject(expected);
  expect(provider.getRequests()).toHaveLength(1);
  await expect(model.call(ask([question]), { signal })).resolves.toMatchObject({ stopReason: 'end_turn' });
});

it('takes no cut reply for a whole one', async () => {
  provider.onMessage('how long', { content: 'Three lines, which take a while to say.' }, { truncateAfterChunks: 2 });
  await expect(model.call(ask([question]), { signal })).rejects.toMatchObject({
    name: 'ProviderUnavailableError',
    sent: true,
    billed: 'unknown',
  });
});

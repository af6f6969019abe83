import type { Message } from '../../../src/models/format.ts';
import { LLMock } from '@copilotkit/aimock';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createAnthropicModel } from '../../../src/models/anthropic/adapter.ts';
import type { Model, ModelRequest } from '../../../src/models/model.ts';

/** A simulated provider of another project. */
let provider: LLMock;
let model: Model;

beforeEach(async () => {
  provider = new LLMock({ port: 0, host: '127.0.0.1' });
  await provider.start();
  const limits = { idleMs: 20_000, totalMs: 20_000 };
  model = createAnthropicModel({ apiKey: 'local-test-key', baseUrl: provider.url, ...limits });
});

afterEach(async () => {
  await provider.stop();
});

const ask = (messages: Message[]): ModelRequest => ({
  model: 'claude-haiku-5-5',
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
const question: Message = { role: 'user', content: 'how long is a.txt?' };

it('goes through a round of tool calls', async () => {
  provider.on(
    { userMessage: 'how long', hasToolResult: false },
    { toolCalls: [{ id: 'toolu_1', name: 'read', arguments: '{"file_path":"a.txt"}' }] },
  );
  provider.on({ toolCallId: 'toolu_1' }, { content: 'Three lines.' });

  const asked = await model.call(ask([question]), { signal });
  expect(asked.stopReason).toBe('tool_use');
  const use = asked.content.find((block) => block.type === 'tool_use');
  expect(use).toMatchObject({ id: 'toolu_1', name: 'read', input: { file_path: 'a.txt' } });

  const answer: Message = {
    role: 'user',
    content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: '1\n2\n3' }],
  };
  const told = await model.call(ask([question, { role: 'assistant', content: asked.content }, answer]), { signal });
  expect(told.stopReason).toBe('end_turn');
  expect(told.content).toMatchObject([{ type: 'text', text: 'Three lines.' }]);
  expect(told.usage).toMatchObject({ cache_write: 0, cache_read: 0 });
});

it.each([
  [429, { name: 'RateLimitedError', billed: 'no' }],
  [529, { name: 'ProviderUnavailableError', sent: false, billed: 'no' }],
  [401, { name: 'AccountRefusedError', billed: 'no' }],
])('meets %i once, and the next call goes well', async (status, expected) => {
  provider.onMessage('how long', { content: 'Three lines.' });
  provider.nextRequestError(status, { message: 'not now', type: 'error' });
  await expect(model.call(ask([question]), { signal })).rejects.toMatchObject(expected);
  expect(provider.getRequests()).toHaveLength(1);
  await expect(model.call(ask([question]), { signal })).resolves.toMatchObject({ stopReason: 'end_turn' });
});

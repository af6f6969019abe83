import Anthropic, { BadRequestError } from '@anthropic-ai/sdk';
import { LLMock } from '@copilotkit/aimock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AnthropicSimulator, startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';

type Request = Anthropic.MessageCreateParamsNonStreaming;

const MODEL = 'claude-haiku-5-5';
const BOUND = 'Invalid `signature` in `thinking` block. The block is bound to a different conversation';
const tools: Anthropic.Tool[] = [
  { name: 'read', input_schema: { type: 'object', properties: { file_path: { type: 'string' } } } },
];
let simulator: AnthropicSimulator;

beforeEach(async () => {
  simulator = await startAnthropicSimulator({ rules: 'real', latencyMs: 0 });
});

afterEach(() => simulator.close());

describe('thinking', () => {
  it('comes before every reply, without its text, and is billed as output', async () => {
    const { content, usage } = await ask(base());
    expect(content[0]).toMatchObject({ type: 'thinking', thinking: '', signature: expect.stringMatching(/.{20}/) });
    expect(content.some(({ type }) => type === 'tool_use')).toBe(true);
    const thought = usage.output_tokens_details?.thinking_tokens ?? 0;
    expect(thought).toBeGreaterThanOrEqual(50);
    expect(thought).toBeLessThanOrEqual(800);
    expect(usage.output_tokens).toBeGreaterThan(thought);
    expect(simulator.requests()[0]?.usage?.output).toBe(usage.output_tokens);
  });

  it('grows with the effort, and is high by default on Sonnet', async () => {
    const thought = async (model: string, effort?: 'low' | 'medium' | 'high') => {
      const amounts = [];
      for (let i = 0; i < 12; i++) {
        const content = `Describe file-${i}.ts`;
        const config = effort === undefined ? {} : { output_config: { effort } };
        const { usage } = await ask({ ...base(), model, ...config, messages: [{ role: 'user', content }] });
        amounts.push(usage.output_tokens_details?.thinking_tokens ?? 0);
      }
      return amounts.reduce((sum, amount) => sum + amount, 0) / amounts.length;
    };
    expect(await thought(MODEL, 'low')).toBeLessThanOrEqual(400);
    expect(await thought(MODEL, 'high')).toBeGreaterThan(1.5 * (await thought(MODEL)));
    expect(await thought('claude-sonnet-5-5')).toBeGreaterThan(1.5 * (await thought('claude-sonnet-5-5', 'medium')));
  });

  it('is done by no 4.5 model', async () => {
    const { content } = await ask({ ...base(), model: 'claude-haiku-4-5' });
    expect(content.map(({ type }) => type)).not.toContain('thinking');
  });

  it('can be switched off on Haiku only', async () => {
    const off: Request = { ...base(), thinking: { type: 'disabled' } };
    expect((await ask(off)).content.map(({ type }) => type)).not.toContain('thinking');
    expect(await refusal({ ...off, model: 'claude-sonnet-5-5' })).toContain('thinking cannot be switched off');
  });

  it('forbids a forced tool choice', async () => {
    const forced: Request = { ...base(), tool_choice: { type: 'tool', name: 'read' } };
    expect(await refusal(forced)).toBe('Thinking may not be enabled when tool_choice forces tool use.');
    expect((await ask({ ...forced, thinking: { type: 'disabled' } })).stop_reason).toBe('tool_use');
    for (const type of ['auto', 'none'] as const) {
      expect((await ask({ ...base(), tool_choice: { type } })).type).toBe('message');
    }
    expect(await refusal({ ...base(), model: 'claude-sonnet-5-5', tool_choice: { type: 'any' } })).toContain(
      'not supported by claude-sonnet-5-5',
    );
  });

  it('ends a reply that it fills', async () => {
    const { content, stop_reason: reason, usage } = await ask({ ...base(), max_tokens: 20 });
    expect(content).toEqual([{ type: 'thinking', thinking: '', signature: '' }]);
    expect(reason).toBe('max_tokens');
    expect(usage.output_tokens).toBe(20);
  });

  it('counts as prompt when it is sent back', async () => {
    const { messages, usage } = await converse(1);
    const count = async (history: Anthropic.MessageParam[]) =>
      (await client().messages.countTokens({ model: MODEL, tools, messages: history })).input_tokens;
    const thought = usage[0]?.output_tokens_details?.thinking_tokens ?? 0;
    const without = await count(strip(messages, () => true));
    expect(Math.abs((await count(messages)) - without - thought)).toBeLessThanOrEqual(1);
  });
});

describe('bound thinking', () => {
  it('is accepted under its own prompt, also after breakpoints and effort change', async () => {
    const { messages } = await converse(3);
    const marked = structuredClone(messages);
    const last = marked.at(-1)?.content;
    if (Array.isArray(last) && last[0]?.type === 'tool_result') last[0].cache_control = { type: 'ephemeral' };
    const request: Request = { ...base(), messages: marked, output_config: { effort: 'low' } };
    expect((await ask(request)).type).toBe('message');
  });

  it.each([
    ['system', { system: 'You work.' }],
    ['a tool', { tools: [...tools, { name: 'list', input_schema: { type: 'object' as const } }] }],
    ['the order of tools', { tools: [{ name: 'list', input_schema: { type: 'object' as const } }, ...tools] }],
  ] as const)('is refused after a change to %s', async (_name, change) => {
    const { messages } = await converse(2);
    expect(await refusal({ ...base(), messages, ...(change as Partial<Request>) })).toBe(
      `messages.1.content.0: ${BOUND}`,
    );
  });

  it('is refused after a change to an earlier message', async () => {
    const { messages } = await converse(3);
    const trimmed = structuredClone(messages);
    const result = trimmed[2]?.content[0];
    if (typeof result === 'object' && result.type === 'tool_result') result.content = '[dropped]';
    expect(await refusal({ ...base(), messages: trimmed })).toBe(`messages.3.content.0: ${BOUND}`);
    const stripped = strip(trimmed, (turn) => turn < 1);
    expect(await refusal({ ...base(), messages: stripped })).toBe(`messages.3.content.0: ${BOUND}`);
    expect((await ask({ ...base(), messages: strip(trimmed, () => true) })).type).toBe('message');
  });

  it('may be dropped from the start', async () => {
    const { messages } = await converse(4);
    for (const dropped of [1, 2, 3, 4]) {
      expect((await ask({ ...base(), messages: strip(messages, (turn) => turn < dropped) })).type).toBe('message');
    }
  });

  it('may not be dropped from the middle or the end alone', async () => {
    const { messages } = await converse(3);
    expect(await refusal({ ...base(), messages: strip(messages, (turn) => turn === 1) })).toBe(
      `messages.5.content.0: ${BOUND}`,
    );
    expect(await refusal({ ...base(), messages: strip(messages, (turn) => turn === 2) })).toBe(
      `messages.1.content.0: ${BOUND}`,
    );
  });

  it('takes no signature that the provider did not make, and looks at none for a model that does not think', async () => {
    const { messages } = await converse(1);
    const forged = structuredClone(messages);
    const thought = forged[1]?.content[0];
    if (typeof thought === 'object' && thought.type === 'thinking') thought.signature = 'made up';
    expect(await refusal({ ...base(), messages: forged })).toBe(`messages.1.content.0: ${BOUND}`);
    expect((await ask({ ...base(), model: 'claude-haiku-4-5', messages: forged })).type).toBe('message');
  });

  it('is the same for both 5.5 models', async () => {
    const { messages } = await converse(2);
    expect((await ask({ ...base(), model: 'claude-sonnet-5-5', messages })).type).toBe('message');
  });

  it('bills nothing for a refused block', async () => {
    const { messages } = await converse(1);
    simulator.clearLog();
    await refusal({ ...base(), system: 'Another', messages });
    expect(simulator.served().calls).toBe(0);
  });
});

it('refuses thinking without a signature, as the simulated provider of another project does', async () => {
  const { messages } = await converse(1);
  const unsigned = structuredClone(messages);
  const thought = unsigned[1]?.content[0];
  if (typeof thought === 'object' && thought.type === 'thinking') thought.signature = '';
  const request: Request = { ...base(), messages: unsigned, thinking: { type: 'enabled', budget_tokens: 1_024 } };
  const other = new LLMock({ port: 0, host: '127.0.0.1', strict: true });
  await other.start();
  for (const baseURL of [simulator.url, other.url]) {
    const call = new Anthropic({ apiKey: 'simulated', baseURL, maxRetries: 0 }).messages.create(request);
    const error: unknown = await call.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect(String(error)).toMatch(/messages\.1\.content\.0: .*`signature`/);
  }
  await other.stop();
});

/** A conversation of so many replies, with a result for each. */
async function converse(replies: number) {
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Describe a.ts [[turns:9]]' }];
  const usage: Anthropic.Usage[] = [];
  for (let i = 0; i < replies; i++) {
    const reply = await ask({ ...base(), messages });
    usage.push(reply.usage);
    messages.push({ role: 'assistant', content: reply.content as Anthropic.ContentBlockParam[] });
    const results = reply.content.flatMap((block): Anthropic.ToolResultBlockParam[] =>
      block.type === 'tool_use' ? [{ type: 'tool_result', tool_use_id: block.id, content: `line ${i}` }] : [],
    );
    messages.push({ role: 'user', content: results });
  }
  return { messages, usage };
}

/** Without the thinking of the given replies, counted from 0. */
function strip(messages: Anthropic.MessageParam[], isDropped: (turn: number) => boolean): Anthropic.MessageParam[] {
  let turn = -1;
  return messages.map((message) => {
    if (message.role === 'assistant') turn += 1;
    if (message.role !== 'assistant' || typeof message.content === 'string' || !isDropped(turn)) return message;
    return { ...message, content: message.content.filter(({ type }) => type !== 'thinking') };
  });
}

function base(): Request {
  return { model: MODEL, max_tokens: 4_000, tools, messages: [{ role: 'user', content: 'Describe a.ts' }] };
}

function ask(request: Request): Promise<Anthropic.Message> {
  return client().messages.create(request);
}

async function refusal(request: Request): Promise<string> {
  const error: unknown = await ask(request).catch((thrown: unknown) => thrown);
  if (!(error instanceof BadRequestError)) throw new Error('expected a 400');
  return (error.error as { error: { message: string } }).error.message;
}

function client(): Anthropic {
  return new Anthropic({ apiKey: 'simulated', baseURL: simulator.url, maxRetries: 0 });
}

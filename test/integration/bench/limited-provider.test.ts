import Anthropic, { RateLimitError } from '@anthropic-ai/sdk';
import { afterEach, expect, it } from 'vitest';
import {
  FIRST_TIER,
  type LimitedProvider,
  type LimitedProviderOptions,
  startLimitedProvider,
  toFiveCallTask,
} from '../../../bench/limited-provider.ts';
import { waitUntil } from '../../support/wait.ts';

const FIND: Anthropic.Tool = {
  name: 'findings',
  input_schema: { type: 'object', properties: { action: { type: 'string' }, query: { type: 'string' } } },
};
let provider: LimitedProvider;

async function start(options: Partial<LimitedProviderOptions> = {}): Promise<void> {
  provider = await startLimitedProvider({ limits: FIRST_TIER, latencyMs: 0, ...options });
}

afterEach(() => provider.close());

it('serves a task in five calls and counts it as done', async () => {
  await start();
  expect(await work(1)).toBe(5);
  const { served, refused, tasks, binding, share } = provider.read();
  expect({ served, refused }).toEqual({ served: 5, refused: 0 });
  expect(tasks).toMatchObject({ begun: 1, done: 1, open: 0 });
  expect(tasks.allowed).toBeGreaterThan(0);
  expect(['requests', 'outputTokens']).toContain(binding);
  expect(share).toBeGreaterThan(0);
  provider.begin();
  expect(provider.read()).toMatchObject({ served: 0, tasks: { begun: 0 } });
});

it('refuses what the burst does not hold, and says so in its headers', async () => {
  const limits = { requests: 2, inputTokens: 1_000_000, outputTokens: 1_000_000 };
  await start({ limits, burstMs: 30_000 }); // a bucket of one request
  await ask(0, []);
  const refused = await ask(1, []).catch((thrown: unknown) => thrown);
  expect(refused).toBeInstanceOf(RateLimitError);
  const { headers } = refused as RateLimitError;
  expect(headers?.get('anthropic-ratelimit-requests-limit')).toBe('2');
  expect(headers?.get('anthropic-ratelimit-requests-remaining')).toBe('0');
  expect(Number(headers?.get('retry-after'))).toBeGreaterThan(1);
  expect(provider.read()).toMatchObject({ served: 1, refused: 1, tasks: { begun: 1, open: 1 } });
});

it('runs faster by its scale', async () => {
  await start({ scale: 10, burstMs: 60_000 });
  const { response } = await client().messages.create(params(0, [])).withResponse();
  expect(response.headers.get('anthropic-ratelimit-requests-limit')).toBe('500');
  expect(response.headers.get('anthropic-ratelimit-output-tokens-limit')).toBe('100000');
});

it('stalls for so long, and answers afterwards', async () => {
  await start({ scale: 100 });
  const stalled = provider.stall(20_000, 1);
  const abort = new AbortController();
  const events: string[] = [];
  const reading = (async () => {
    const stream = await client().messages.create({ ...params(1, []), stream: true }, { signal: abort.signal });
    for await (const { type } of stream) events.push(type);
  })();
  await stalled;
  await waitUntil(() => events.length === 1);
  abort.abort();
  await reading.catch(() => undefined);
  expect((await ask(2, [])).stop_reason).toBe('tool_use');
});

/** Carries a task through to its answer. @returns its calls */
async function work(task: number): Promise<number> {
  const messages: Anthropic.MessageParam[] = [];
  for (let calls = 1; ; calls++) {
    const { content, stop_reason: reason } = await ask(task, messages);
    if (reason === 'end_turn') return calls;
    const results = content.flatMap((block) =>
      block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'none' }] : [],
    );
    messages.push({ role: 'assistant', content }, { role: 'user', content: results });
  }
}

function ask(task: number, later: Anthropic.MessageParam[]): Promise<Anthropic.Message> {
  return client().messages.create(params(task, later));
}

function params(task: number, later: Anthropic.MessageParam[]): Anthropic.MessageCreateParamsNonStreaming {
  return {
    model: 'claude-haiku-5-5',
    max_tokens: 8_000,
    tools: [FIND],
    metadata: { user_id: `job-${task}` },
    messages: [{ role: 'user', content: toFiveCallTask(task).description }, ...later],
  };
}

function client(): Anthropic {
  return new Anthropic({ apiKey: 'simulated', baseURL: provider.url, maxRetries: 0 });
}

import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type AnthropicSimulator,
  type SimulatorOptions,
  startAnthropicSimulator,
} from '../../../simulator/anthropic/server.ts';

const MODEL = 'claude-haiku-5-5';
let simulator: AnthropicSimulator | undefined;

afterEach(() => simulator?.close());

describe('rate limits', () => {
  const NAMES = ['requests', 'input-tokens', 'output-tokens'];

  it('are told with every answer, refusals and errors too', async () => {
    await start({ limits: { [MODEL]: { requests: 1, inputTokens: 1_000, outputTokens: 10_000 } } });
    const { response } = await create('Hello').withResponse();
    const limited = await failure(create('Hello'));
    simulator?.setFaults([{ kind: 'overloaded' }]);
    const overloaded = await failure(create('Hello'));
    for (const headers of [response.headers, limited.headers, overloaded.headers]) {
      for (const name of NAMES) {
        for (const part of ['limit', 'remaining']) {
          expect(headers?.get(`anthropic-ratelimit-${name}-${part}`)).toMatch(/^\d+$/);
        }
        expect(headers?.get(`anthropic-ratelimit-${name}-reset`)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      }
    }
    expect(limited).toMatchObject({ status: 429, type: 'rate_limit_error' });
    expect(Number(limited.headers?.get('retry-after'))).toBeGreaterThanOrEqual(59);
    expect(overloaded.headers?.get('retry-after')).toBeNull();
  });

  it('are those of the Start tier by default', async () => {
    await start();
    const { response } = await create('Hello').withResponse();
    expect(response.headers.get('anthropic-ratelimit-requests-limit')).toBe('1000');
    expect(response.headers.get('anthropic-ratelimit-input-tokens-limit')).toBe('2000000');
    expect(response.headers.get('anthropic-ratelimit-output-tokens-limit')).toBe('400000');
  });

  it('count cache writes as input and cache reads not', async () => {
    await start({ limits: { [MODEL]: { inputTokens: 30_000 } } });
    const system = [{ type: 'text' as const, text: 'x'.repeat(50_000), cache_control: { type: 'ephemeral' as const } }];
    for (let i = 0; i < 5; i++) {
      const { usage } = await create(`Question ${i}`, { system });
      expect(i === 0 ? usage.cache_creation_input_tokens : usage.cache_read_input_tokens).toBe(20_000);
    }
    expect((await failure(create('x'.repeat(50_000)))).message).toContain('30,000 input tokens per minute');
  });

  it('count what was said as output, not what max_tokens allows', async () => {
    await start({ limits: { [MODEL]: { outputTokens: 1_000 } } });
    await create('Hello', { max_tokens: 64_000, thinking: { type: 'disabled' } });
    await create('Say much. [[tokens:1500]]', { max_tokens: 64_000, thinking: { type: 'disabled' } });
    expect((await failure(create('Hello'))).message).toContain('1,000 output tokens per minute');
  });

  it('are each key’s own', async () => {
    await start({ limits: { [MODEL]: { requests: 1 } } });
    await create('Hello');
    expect((await create('Hello', {}, 'another')).type).toBe('message');
    expect((await failure(create('Hello'))).status).toBe(429);
  });

  it('can be set while it runs, here or over HTTP', async () => {
    const { url, setTokenLimits } = await start({ limits: { [MODEL]: { requests: 1 } } });
    await create('Hello');
    setTokenLimits({ [MODEL]: { requests: 2 } });
    expect((await create('Hello')).type).toBe('message');
    const limits = { [MODEL]: { requests: 7 } };
    const answer = await fetch(`${url}/__simulator/config`, { method: 'POST', body: JSON.stringify({ limits }) });
    expect(answer.status).toBe(200);
    const { response } = await create('Hello').withResponse();
    expect(response.headers.get('anthropic-ratelimit-requests-limit')).toBe('7');
  });
});

describe('tokens and windows', () => {
  it.each([
    [MODEL, 1_000],
    ['claude-sonnet-5-5', 1_000],
    ['claude-haiku-4-5', 770],
  ])('counts 2,500 characters for %s as %i tokens', async (model, expected) => {
    await start();
    const messages = [{ role: 'user' as const, content: 'x'.repeat(2_500) }];
    expect((await client().messages.countTokens({ model, messages })).input_tokens).toBe(expected);
  });

  it('refuses a prompt that alone passes the window', async () => {
    await start();
    expect((await failure(create('x'.repeat(2_500_003)))).message).toContain(
      'prompt is too long: 1000002 tokens > 1000000 maximum',
    );
  });

  it('ends a reply with the window', async () => {
    await start();
    const content = `${'x'.repeat(2_499_500)} [[tokens:1000]]`;
    expect((await create(content, { max_tokens: 128_000 })).stop_reason).toBe('model_context_window_exceeded');
  });

  it('allows as much output as the model has', async () => {
    await start();
    expect((await create('Hello', { max_tokens: 128_000 })).type).toBe('message');
    expect((await failure(create('Hello', { max_tokens: 128_001 }))).message).toContain('128001 > 128000');
  });
});

describe('the cache', () => {
  it.each([
    [MODEL, 512],
    ['claude-sonnet-5-5', 512],
    ['claude-haiku-4-5', 4_096],
    ['claude-sonnet-4-5', 1_024],
  ])('of %s begins at %i tokens', async (model, least) => {
    await start();
    const characters = Math.floor((least - 1) * (model.includes('5-5') ? 2.5 : 3.25));
    const written = async (text: string) => {
      const system = [{ type: 'text' as const, text, cache_control: { type: 'ephemeral' as const } }];
      return (await create('Hello', { model, system })).usage.cache_creation_input_tokens;
    };
    expect(await written('x'.repeat(characters))).toBe(0);
    expect(await written('x'.repeat(characters + 2))).toBe(least);
  });

  it('is looked up twenty blocks back and no further', async () => {
    await start();
    const system = [{ type: 'text' as const, text: 'x'.repeat(2_500), cache_control: { type: 'ephemeral' as const } }];
    await create('Hello', { system });
    const plain = [{ type: 'text' as const, text: 'x'.repeat(2_500) }];
    const read = async (blocks: number) => {
      const content = Array.from({ length: blocks }, (_, i) => ({
        type: 'text' as const,
        text: `block ${i} of ${blocks}`,
      }));
      const request = { system: plain, cache_control: { type: 'ephemeral' as const } };
      return (await create(content, request)).usage.cache_read_input_tokens;
    };
    expect(await read(20)).toBe(1_000);
    expect(await read(21)).toBe(0);
  });
});

describe('the place of the inference', () => {
  it('is told in the usage, and the United States cost a tenth more', async () => {
    const { served } = await start();
    expect((await create('Hello')).usage.inference_geo).toBe('global');
    const bill = served().billNanoUsd;
    await fetch(`${simulator?.url}/__simulator/config`, { method: 'POST', body: '{"inferenceGeo":"us"}' });
    expect((await create('Hello')).usage.inference_geo).toBe('us');
    expect(served().billNanoUsd).toBe(bill + Math.ceil((bill * 11) / 10));
  });
});

it('refuses half a surrogate pair', async () => {
  await start();
  expect((await failure(create('cut: \ud83d'))).message).toContain(
    'The request body is not valid JSON: no low surrogate in string',
  );
  expect((await create('whole: 😀')).type).toBe('message');
});

async function start(options: SimulatorOptions = {}): Promise<AnthropicSimulator> {
  simulator = await startAnthropicSimulator({ rules: 'real', latencyMs: 0, ...options });
  return simulator;
}

function create(
  content: Anthropic.MessageParam['content'],
  more: Partial<Anthropic.MessageCreateParamsNonStreaming> = {},
  apiKey = 'simulated',
) {
  const request = { model: MODEL, max_tokens: 4_000, messages: [{ role: 'user' as const, content }], ...more };
  return client(apiKey).messages.create(request);
}

async function failure(call: Promise<unknown>): Promise<APIError> {
  const thrown: unknown = await call.then(
    () => new Error('the call succeeded'),
    (error: unknown) => error,
  );
  if (thrown instanceof APIError) return thrown;
  throw thrown;
}

function client(apiKey = 'simulated'): Anthropic {
  return new Anthropic({ apiKey, baseURL: simulator?.url ?? '', maxRetries: 0, timeout: 60_000 });
}

import { readFile } from 'node:fs/promises';
import Anthropic, { APIConnectionError, APIError, RateLimitError } from '@anthropic-ai/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AnthropicSimulator, startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import type { Fault } from '../../../simulator/anthropic/faults/fault.ts';
import { waitUntil } from '../../support/wait.ts';

const MODEL = 'claude-haiku-5-5';
const THOUGHT = { type: 'thinking' };
let simulator: AnthropicSimulator;

beforeEach(async () => {
  simulator = await startAnthropicSimulator({ latencyMs: 0 });
});

afterEach(() => simulator.close());

describe('errors of the provider', () => {
  it.each([
    ['authentication', 401, 'authentication_error'],
    ['billing', 402, 'billing_error'],
    ['permission', 403, 'permission_error'],
    ['invalid-request', 400, 'invalid_request_error'],
    ['usage-limit', 400, 'invalid_request_error'],
    ['usage-limits', 429, 'rate_limit_error'],
    ['organization-disabled', 400, 'invalid_request_error'],
    ['prompt-too-long', 400, 'invalid_request_error'],
    ['bound-thinking', 400, 'invalid_request_error'],
    ['too-large', 413, 'request_too_large'],
    ['rate-limit', 429, 'rate_limit_error'],
    ['server-error', 500, 'api_error'],
    ['unavailable', 503, 'api_error'],
    ['overloaded', 529, 'overloaded_error'],
  ] as const)('%s answers %i %s and bills nothing', async (kind, status, type) => {
    simulator.setFaults([{ kind }]);
    const error = await failure();
    expect(error).toMatchObject({ status, type });
    expect(error.headers?.get('x-simulated')).toBe('1');
    expect(error.headers?.get('retry-after')).toBeNull();
    expect(simulator.served().calls).toBe(0);
    expect(simulator.requests()).toMatchObject([{ status, fault: kind, served: false, requestId: error.requestID }]);
  });

  it.each([7, 0, 'Mon, 01 Jan 2001 00:00:00 GMT'])(
    'sends retry-after where the fault has one: %s',
    async (retryAfter) => {
      simulator.setFaults([{ kind: 'rate-limit', retryAfter }]);
      expect((await failure()).headers?.get('retry-after')).toBe(String(retryAfter));
    },
  );

  it('has another status on demand, with the type of that status', async () => {
    simulator.setFaults([{ kind: 'organization-disabled', status: 403 }]);
    expect(await failure()).toMatchObject({ status: 403, type: 'permission_error' });
  });

  it('marks a spend limit so that the SDK throws its own class', async () => {
    simulator.setFaults([{ kind: 'spend-limit' }]);
    const error = await failure();
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error).toMatchObject({ errorCode: 'enforced_spend_limit_reached' });
  });
});

describe('answers that do not arrive well', () => {
  it.each(['reset-before', 'reset-after'] as const)('%s breaks the connection', async (kind) => {
    simulator.setFaults([{ kind }]);
    await expect(ask()).rejects.toBeInstanceOf(APIConnectionError);
    const billed = kind === 'reset-after';
    expect(simulator.requests()).toMatchObject([{ status: null, served: billed, clientGone: false }]);
    expect(simulator.served().calls).toBe(billed ? 1 : 0);
  });

  it('a stalled body leaves the caller waiting after the headers, and is billed', async () => {
    simulator.setFaults([{ kind: 'stalled-body' }]);
    const abort = new AbortController();
    const answer = ask({ signal: abort.signal });
    await waitUntil(() => simulator.requests()[0]?.status === 200);
    abort.abort();
    await expect(answer).rejects.toThrow();
    await waitUntil(() => simulator.requests()[0]?.clientGone === true);
    expect(simulator.served().calls).toBe(1);
  });

  it.each(['slow-body', 'slow-headers'] as const)('%s arrives whole in the end', async (kind) => {
    simulator.setFaults([{ kind, delayMs: 30 }]);
    expect((await ask()).stop_reason).toBe('tool_use');
  });

  it('html is a string to the SDK, and nothing is billed', async () => {
    simulator.setFaults([{ kind: 'html' }]);
    expect(typeof (await ask())).toBe('string');
    expect(simulator.served().calls).toBe(0);
  });

  it('broken-json is a SyntaxError, and billed', async () => {
    simulator.setFaults([{ kind: 'broken-json' }]);
    await expect(ask()).rejects.toBeInstanceOf(SyntaxError);
    expect(simulator.served().calls).toBe(1);
  });

  it('empty-object has no content, and is billed', async () => {
    simulator.setFaults([{ kind: 'empty-object' }]);
    expect((await ask()).content).toBeUndefined();
    expect(simulator.served().calls).toBe(1);
  });

  it('bills a call whose client hung up while the model was at work', async () => {
    simulator.setLatency(60_000);
    const abort = new AbortController();
    const answer = ask({ signal: abort.signal });
    await waitUntil(() => simulator.served().calls === 1);
    abort.abort();
    await expect(answer).rejects.toThrow();
    await waitUntil(() => simulator.requests()[0]?.finishedAt !== null);
    expect(simulator.requests()).toMatchObject([{ clientGone: true, served: true, status: null }]);
  });
});

describe('answers that are no result', () => {
  it.each([
    ['empty-content', { content: [THOUGHT], stop_reason: 'end_turn' }],
    ['refusal', { content: [], stop_reason: 'refusal', stop_details: { type: 'refusal' } }],
    ['cut-off', { stop_reason: 'max_tokens' }],
    ['unknown-tool', { content: [THOUGHT, { type: 'tool_use', name: 'teleport' }], stop_reason: 'tool_use' }],
    ['bad-tool-input', { content: [THOUGHT, { name: 'read', input: { file_path: { not: expect.any(String) } } }] }],
  ] as const)('%s', async (kind, expected) => {
    simulator.setFaults([{ kind }]);
    expect(await ask()).toMatchObject(expected);
    expect(simulator.served().calls).toBe(1);
  });

  it.each(['pause_turn', 'model_context_window_exceeded', 'invented'])(
    'a whole one that ends with %s',
    async (stopReason) => {
      simulator.setFaults([{ kind: 'stop-reason', stopReason }]);
      expect(await ask()).toMatchObject({
        content: [THOUGHT, { type: 'text' }, { type: 'tool_use' }],
        stop_reason: stopReason,
      });
    },
  );

  it('thinking of a model that does not think', async () => {
    simulator.setFaults([{ kind: 'thinking' }]);
    const { content } = await client().messages.create({ ...params(), model: 'claude-haiku-4-5' });
    expect(content).toMatchObject([THOUGHT, { type: 'text' }, { type: 'tool_use' }]);
  });

  it('max_tokens cuts a longer answer and bills just that', async () => {
    const reply = await client().messages.create({
      model: MODEL,
      max_tokens: 5,
      messages: [{ role: 'user', content: 'Say much. [[tokens:100]]' }],
    });
    expect(reply).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 5 } });
  });
});

describe('which request a fault hits', () => {
  it('counts only those its other conditions meet, and stops after `times`', async () => {
    const fault: Fault = { kind: 'overloaded', when: { user: 'job-1', everyNth: 2 }, times: 1 };
    simulator.setFaults([fault]);
    const statuses = [];
    for (const user of ['job-1', 'job-2', 'job-1', 'job-1', 'job-1']) statuses.push(await statusOf(user));
    expect(statuses).toEqual([200, 200, 529, 200, 200]);
    expect(simulator.served().byUser).toMatchObject({ 'job-1': { calls: 3 }, 'job-2': { calls: 1 } });
  });

  it('takes the same ones again for the same seed', async () => {
    const outcomes = async () => {
      const one = await startAnthropicSimulator({
        latencyMs: 0,
        seed: 7,
        faults: [{ kind: 'overloaded', when: { probability: 0.5 } }],
      });
      const statuses = [];
      for (let i = 0; i < 12; i++) statuses.push(await statusOf('job', one.url));
      await one.close();
      return statuses;
    };
    const first = await outcomes();
    expect(new Set(first)).toEqual(new Set([200, 529]));
    expect(await outcomes()).toEqual(first);
  });

  it('can look at the prompt and the turn', async () => {
    simulator.setFaults([{ kind: 'overloaded', when: { promptIncludes: 'secret', turn: 0 } }]);
    expect((await ask()).type).toBe('message');
    const hit = client().messages.create({
      model: MODEL,
      max_tokens: 9,
      messages: [{ role: 'user', content: 'a secret' }],
    });
    await expect(hit).rejects.toMatchObject({ status: 529 });
  });
});

describe('keys, limits and the rest of the API', () => {
  it('takes the key as bearer or x-api-key and refuses others', async () => {
    simulator.setAcceptKey((key) => key === 'good');
    const headers = { 'anthropic-version': '2026-10-21' };
    const status = async (extra: Record<string, string>) =>
      (await fetch(`${simulator.url}/v1/models`, { headers: { ...headers, ...extra } })).status;
    expect(await status({ 'x-api-key': 'good' })).toBe(200);
    expect(await status({ authorization: 'Bearer good' })).toBe(200);
    expect(await status({ authorization: 'Bearer bad' })).toBe(401);
    expect(await status({})).toBe(401);
  });

  it('answers 429 with retry-after and limit headers above the minute limit of the model', async () => {
    simulator.setLimits({ [MODEL]: 2 });
    await ask();
    const { response } = await client().messages.create(params()).withResponse();
    expect(response.headers.get('anthropic-ratelimit-requests-remaining')).toBe('0');
    const error = await failure();
    expect(error.status).toBe(429);
    expect(Number(error.headers?.get('retry-after'))).toBeGreaterThanOrEqual(59);
    const other = await client().messages.create({ ...params(), model: 'claude-sonnet-5-5' });
    expect(other.type).toBe('message');
    expect(simulator.served().byModel).toMatchObject({ [MODEL]: { calls: 2 }, 'claude-sonnet-5-5': { calls: 1 } });
  });

  it('bills a cached prefix as written once and read after', async () => {
    const system = [
      {
        type: 'text' as const,
        text: await readFile(import.meta.filename, 'utf8'),
        cache_control: { type: 'ephemeral' as const },
      },
    ];
    const call = (content: string) =>
      client().messages.create({ model: MODEL, max_tokens: 50, system, messages: [{ role: 'user', content }] });
    const first = (await call('one')).usage;
    const second = (await call('two words')).usage;
    expect(first.cache_creation_input_tokens).toBeGreaterThan(1_024);
    expect(first.cache_read_input_tokens).toBe(0);
    expect(second.cache_read_input_tokens).toBe(first.cache_creation_input_tokens);
    expect(second.cache_creation_input_tokens).toBe(0);
  });

  it('counts tokens as the call will be billed', async () => {
    const { max_tokens: _limit, ...prompt } = params();
    const counted = await client().messages.countTokens(prompt);
    expect(counted.input_tokens).toBe((await ask()).usage.input_tokens);
  });

  it('lists its models, and knows no others', async () => {
    const ids = [];
    for await (const model of client().models.list()) ids.push(model.id);
    expect(ids).toContain(MODEL);
    expect(await client().models.retrieve(MODEL)).toMatchObject({ id: MODEL, line: 'haiku' });
    await expect(client().models.retrieve('gpt-9')).rejects.toMatchObject({ status: 404 });
    await expect(client().messages.create({ ...params(), model: 'gpt-9' })).rejects.toMatchObject({
      status: 404,
      type: 'not_found_error',
    });
  });

  it('remembers who asked what, and when it ended', async () => {
    await client().messages.create({ ...params(), metadata: { user_id: 'job-9' } });
    await waitUntil(() => simulator.requests()[0]?.finishedAt !== null);
    expect(simulator.requests()[0]).toMatchObject({
      user: 'job-9',
      model: MODEL,
      turn: 0,
      status: 200,
      served: true,
      stopReason: 'tool_use',
      tools: ['read'],
      clientGone: false,
    });
    simulator.clearLog();
    expect(simulator.requests()).toEqual([]);
    expect(simulator.served().calls).toBe(0);
  });
});

function params(): Anthropic.MessageCreateParamsNonStreaming {
  const read = { type: 'object' as const, properties: { file_path: { type: 'string' } }, required: ['file_path'] };
  return {
    model: MODEL,
    max_tokens: 2_000,
    tools: [{ name: 'read', input_schema: read }],
    messages: [{ role: 'user', content: 'Describe a.ts' }],
  };
}

function ask(options: Anthropic.RequestOptions = {}): Promise<Anthropic.Message> {
  return client().messages.create(params(), options);
}

async function failure(): Promise<APIError> {
  const thrown: unknown = await ask().then(
    () => new Error('the call succeeded'),
    (error: unknown) => error,
  );
  if (thrown instanceof APIError) return thrown;
  throw thrown;
}

async function statusOf(user: string, url = simulator.url): Promise<number | undefined> {
  const call = client(url).messages.create({ ...params(), metadata: { user_id: user } });
  return call.then(
    () => 200,
    (error: unknown) => (error instanceof APIError ? error.status : undefined),
  );
}

function client(url = simulator.url): Anthropic {
  return new Anthropic({ apiKey: 'simulated', baseURL: url, maxRetries: 0 });
}

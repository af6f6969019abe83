import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  AccountRefusedError,
  type FleetError,
  ProviderUnavailableError,
  RateLimitedError,
  ShutdownError,
  TaskFailedError,
} from '../../../src/errors.ts';
import { createAnthropicModel } from '../../../src/models/anthropic/adapter.ts';
import type { ModelLimits, ModelRequest } from '../../../src/models/model.ts';
import { type Handler, startRawProvider } from '../../support/models/raw-provider.ts';

const KEY = 'local-test-key-0123456789';
const LIMITS = { idleMs: 20_000, totalMs: 20_000 };
const REQUEST: ModelRequest = {
  model: 'claude-haiku-5-5',
  system: [{ type: 'text', text: 'Be brief.' }],
  messages: [{ role: 'user', content: 'hello' }],
  tools: [{ name: 'read', description: 'Reads a file.', input_schema: { type: 'object' } }],
  maxTokens: 100,
  user: 'job-1',
};
const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-5-5',
  content: [
    { type: 'thinking', thinking: 'hm', signature: 's' },
    { type: 'tool_use', id: 'toolu_1', name: 'read', input: { file_path: 'a' } },
  ],
  stop_reason: 'tool_use',
  stop_sequence: null,
  usage: { input_tokens: 7, output_tokens: 3, cache_creation_input_tokens: 11, cache_read_input_tokens: 13 },
};

const reply =
  (status: number, body: unknown, headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  };

const refusal = (type: string, message: string, details?: Record<string, string>): object => ({
  type: 'error',
  error: { type, message, ...(details && { details }) },
  request_id: 'req_1',
});

const live = (): AbortSignal => new AbortController().signal;

/** Returns the error of one call to such a provider, and checks that there was only one request. */
async function failWith(handle: Handler, limits = LIMITS): Promise<FleetError> {
  const provider = await startRawProvider(handle);
  const model = createAnthropicModel({ apiKey: KEY, baseUrl: provider.url, ...limits });
  const error = await model.call(REQUEST, { signal: live() }).then(
    () => expect.fail('the call went well'),
    (thrown: FleetError) => thrown,
  );
  expect(provider.requests).toHaveLength(1);
  return error;
}

describe('a call that goes well', () => {
  it('gives the blocks as they came and the usage with its cache parts', async () => {
    const provider = await startRawProvider(reply(200, MESSAGE));
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: provider.url, ...LIMITS });
    expect(await model.call(REQUEST, { signal: live() })).toEqual({
      id: 'msg_1',
      model: 'claude-haiku-5-5',
      content: MESSAGE.content,
      stopReason: 'tool_use',
      usage: { input: 7, cache_write: 11, cache_read: 13, output: 3 },
    });
  });

  it('sends the key as bearer, the job as user, automatic caching, and no sampling parameter', async () => {
    const provider = await startRawProvider(reply(200, MESSAGE));
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: provider.url, ...LIMITS });
    await model.call({ ...REQUEST, outputSchema: { type: 'object' } }, { signal: live() });
    const [sent] = provider.requests;
    expect(sent?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(sent?.body).toEqual({
      model: 'claude-haiku-5-5',
      max_tokens: 100,
      messages: REQUEST.messages,
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      tools: REQUEST.tools,
      cache_control: { type: 'ephemeral' },
      stream: true,
      metadata: { user_id: 'job-1' },
      output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
    });
  });
});

describe('an error reply, which is never billed', () => {
  it.each([
    [400, 'request'],
    [413, 'too-long'],
    [422, 'request'],
  ])("%i fails the task with reason %j and the provider's words", async (status, reason) => {
    const error = await failWith(reply(status, refusal('invalid_request_error', 'max_tokens: too large')));
    expect(error).toBeInstanceOf(TaskFailedError);
    expect(error).toMatchObject({ reason, billed: 'no' });
    expect(error.message).toContain(`${status} invalid_request_error: max_tokens: too large`);
  });

  it('404 of a model fails the task with reason "model"', async () => {
    const error = await failWith(reply(404, refusal('not_found_error', 'model: claude-haiku-5-5')));
    expect(error).toMatchObject({ name: 'TaskFailedError', reason: 'model', billed: 'no' });
  });

  it('404 of some other web server makes the jobs wait: the address is wrong, not the task', async () => {
    const error = await failWith(reply(404, '<html>nothing here</html>', { 'content-type': 'text/html' }));
    expect(error).toMatchObject({ name: 'ProviderUnavailableError', sent: false, billed: 'no' });
  });

  it.each([
    [401, refusal('authentication_error', 'invalid x-api-key')],
    [402, refusal('billing_error', 'payment needed')],
    [403, refusal('permission_error', 'not yours')],
    [400, refusal('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.')],
    [400, refusal('invalid_request_error', 'You have reached your specified API usage limits.')],
    [400, refusal('invalid_request_error', 'On hold.', { error_code: 'organization_on_hold' })],
    [429, refusal('rate_limit_error', 'Threshold crossed.', { error_code: 'enforced_spend_limit_reached' })],
    [429, refusal('rate_limit_error', 'Contract used up.', { error_code: 'contract_spend_limit_reached' })],
  ])('%i about the account refuses the account: %j', async (status, body) => {
    const error = await failWith(reply(status, body));
    expect(error).toBeInstanceOf(AccountRefusedError);
    expect(error.billed).toBe('no');
  });

  it.each([408, 409, 500, 502, 503, 504, 529])('%i means the provider is unavailable', async (status) => {
    const error = await failWith(reply(status, refusal('overloaded_error', 'later'), { 'retry-after': '3600' }));
    expect(error).toBeInstanceOf(ProviderUnavailableError);
    expect(error).toMatchObject({ model: 'claude-haiku-5-5', sent: false, billed: 'no' });
  });

  it.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after-ms': '250', 'retry-after': '7' }, 250],
    [{}, 0],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': 'Sat, 21 Nov 2020 12:00:00 GMT' }, 0],
    [{ 'retry-after': '86400' }, 3_600_000],
  ])('429 with %j names a wait of %i ms', async (headers, retryAfterMs) => {
    const error = await failWith(reply(429, refusal('rate_limit_error', 'slow down'), { ...headers }));
    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error).toMatchObject({ model: 'claude-haiku-5-5', retryAfterMs, billed: 'no' });
  });

  it('429 that grows too fast is waited for like any other', async () => {
    const body = refusal('rate_limit_error', 'Too steep.', { error_code: 'ramp_limit_exceeded' });
    expect(await failWith(reply(429, body, { 'retry-after': '3' }))).toMatchObject({ retryAfterMs: 3_000 });
  });
});

describe('a reply with status 200 that is none', () => {
  it.each([
    ['an HTML page', '<html>sign in</html>', 'text/html'],
    ['an empty object', '{}', 'application/json'],
    ['null', 'null', 'application/json'],
    ['nothing', '', 'application/json'],
    ['a message without usage', JSON.stringify({ ...MESSAGE, usage: undefined }), 'application/json'],
    [
      'a message without a stop reason',
      JSON.stringify({ ...MESSAGE, stop_reason: null, usage: {} }),
      'application/json',
    ],
  ])('%s is malformed, its cost unknown', async (_what, body, type) => {
    const error = await failWith(reply(200, body, { 'content-type': type, 'content-length': String(body.length) }));
    expect(error).toMatchObject({ name: 'TaskFailedError', reason: 'malformed', billed: 'unknown' });
  });

  it('an unknown kind of block is malformed, its cost known', async () => {
    const error = await failWith(reply(200, { ...MESSAGE, content: [{ type: 'hologram' }] }));
    expect(error).toMatchObject({
      reason: 'malformed',
      billed: { input: 7, cache_write: 11, cache_read: 13, output: 3 },
    });
  });
});

describe('a connection that fails', () => {
  it('was not sent when nobody listens', async () => {
    const { url, close } = await startRawProvider(reply(200, MESSAGE));
    await close();
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: url, ...LIMITS });
    await expect(model.call(REQUEST, { signal: live() })).rejects.toMatchObject({
      name: 'ProviderUnavailableError',
      sent: false,
      billed: 'no',
      message: 'claude-haiku-5-5: no connection (ECONNREFUSED)',
    });
  });

  it('was not sent when the name does not resolve', async () => {
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: 'http://nowhere.invalid', ...LIMITS });
    await expect(model.call(REQUEST, { signal: live() })).rejects.toMatchObject({ sent: false, billed: 'no' });
  });

  it.each<[string, Handler]>([
    ['a reset before the headers', (request) => request.socket.resetAndDestroy()],
    [
      'a reset inside the body',
      (request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '9000' });
        response.write('{"id":', () => request.socket.resetAndDestroy());
      },
    ],
    ['broken JSON', reply(200, '{"id":"msg_1","ty')],
  ])('%s leaves the cost unknown', async (_what, handle) => {
    const error = await failWith(handle);
    expect(error).toBeInstanceOf(ProviderUnavailableError);
    expect(error).toMatchObject({ sent: true, billed: 'unknown' });
  });

  it.each<[string, Handler]>([
    ['no headers', () => {}],
    [
      'a stalled body',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":');
      },
    ],
  ])('%s end at the deadline, cost unknown', async (_what, handle) => {
    const error = await failWith(handle, { ...LIMITS, totalMs: 150 });
    expect(error).toMatchObject({ name: 'CallTimeoutError', limit: 'total', sent: true, billed: 'unknown' });
    expect(error.message).toContain('no complete reply within 150 ms');
  });
});

describe("the caller's signal", () => {
  it.each<[string, Handler]>([
    ['while waiting for headers', () => {}],
    [
      'inside the body',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":');
      },
    ],
  ])('ends the call with its own reason %s', async (_when, handle) => {
    const provider = await startRawProvider(handle);
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: provider.url, ...LIMITS });
    const controller = new AbortController();
    const reason = new ShutdownError('going away');
    const call = model.call(REQUEST, { signal: controller.signal });
    await provider.read;
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  it('sends nothing when it has fired before', async () => {
    const provider = await startRawProvider(reply(200, MESSAGE));
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: provider.url, ...LIMITS });
    const reason = new ShutdownError('going away');
    await expect(model.call(REQUEST, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(provider.requests).toHaveLength(0);
  });
});

it.each<[string, (request: IncomingMessage) => [string, string]]>([
  [
    'a JSON error',
    ({ headers }) => ['application/json', JSON.stringify(refusal('api_error', `saw ${headers.authorization}`))],
  ],
  ['an HTML page', ({ headers }) => ['text/html', `<html>${JSON.stringify(headers)}</html>`]],
])('never repeats the key, even where %s echoes it', async (_what, echo) => {
  const error = await failWith((request, response) => {
    const [type, body] = echo(request);
    response.writeHead(502, { 'content-type': type, 'request-id': KEY, 'x-echo': KEY }).end(body);
  });
  const everything = [error.message, error.stack, JSON.stringify(error), inspectDeep(error)].join('\n');
  expect(everything).toContain('502');
  expect(everything).not.toContain(KEY);
});

function inspectDeep(value: unknown): string {
  if (!(value instanceof Error)) return JSON.stringify(value) ?? '';
  const own = Object.getOwnPropertyNames(value).map((name) => inspectDeep(Reflect.get(value, name)));
  return own.join('\n');
}

describe('limits in the headers', () => {
  const headers = {
    'anthropic-ratelimit-requests-limit': '50',
    'anthropic-ratelimit-requests-remaining': '0',
    'anthropic-ratelimit-requests-reset': '2026-11-25T12:00:30Z',
  };
  const expected = { requests: { limit: 50, remaining: 0, resetAt: Date.parse('2026-11-25T12:00:30Z') } };

  it.each<[string, Handler, { isRefusal?: true }?]>([
    ['a reply', reply(200, MESSAGE, headers)],
    ['a refusal, which they mark', reply(429, refusal('rate_limit_error', 'slow down'), headers), { isRefusal: true }],
    ['an outage', reply(529, refusal('overloaded_error', 'later'), headers)],
  ])('are told once for %s', async (_what, handle, marked = {}) => {
    const { url } = await startRawProvider(handle);
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: url, ...LIMITS });
    const told: ModelLimits[] = [];
    await model.call(REQUEST, { signal: live(), onLimits: (limits) => told.push(limits) }).catch(() => {});
    expect(told).toEqual([{ ...expected, ...marked }]);
  });
});

describe('counting', () => {
  it('asks for the tokens of the same prompt', async () => {
    const provider = await startRawProvider(reply(200, { input_tokens: 1_234 }));
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: provider.url, ...LIMITS });
    expect(await model.countTokens(REQUEST, { signal: live() })).toBe(1_234);
    expect(provider.requests[0]?.body).not.toHaveProperty('max_tokens');
    expect(provider.requests[0]?.body).not.toHaveProperty('stream');
  });

  it('gives null where the answer holds no count', async () => {
    const { url } = await startRawProvider(reply(200, {}));
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: url, ...LIMITS });
    expect(await model.countTokens(REQUEST, { signal: live() })).toBeNull();
  });

  it('fails as a call does', async () => {
    const { url } = await startRawProvider(
      reply(429, refusal('rate_limit_error', 'slow down'), { 'retry-after': '7' }),
    );
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: url, ...LIMITS });
    await expect(model.countTokens(REQUEST, { signal: live() })).rejects.toMatchObject({
      name: 'RateLimitedError',
      retryAfterMs: 7_000,
      billed: 'no',
    });
  });
});

it('says that a request was never made, and costs nothing, where no header can carry the key', async () => {
  const provider = await startRawProvider(reply(200, MESSAGE));
  const apiKey = `${KEY}\u200b`;
  const model = createAnthropicModel({ apiKey, baseUrl: provider.url, ...LIMITS });
  const error = await model.call(REQUEST, { signal: live() }).then(
    () => expect.fail('the call went well'),
    (thrown: FleetError) => thrown,
  );
  expect(error).toMatchObject({ name: 'FleetError', billed: 'no' });
  expect(error.message).toContain('the request could not be made');
  expect(inspectDeep(error)).not.toContain(KEY);
  expect(provider.requests).toHaveLength(0);
});

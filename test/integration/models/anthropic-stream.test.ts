import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type BilledUsage, type FleetError, ShutdownError } from '../../../src/errors.ts';
import { createAnthropicModel } from '../../../src/models/anthropic/adapter.ts';
import { StreamedReply } from '../../../src/models/anthropic/streamed-reply.ts';
import type { ModelReply, ModelRequest } from '../../../src/models/model.ts';
import { type Handler, startRawProvider } from '../../support/models/raw-provider.ts';
import { waitUntil } from '../../support/wait.ts';

const LIMITS = { idleMs: 20_000, totalMs: 20_000 };
const REQUEST: ModelRequest = {
  model: 'claude-haiku-5-5',
  system: [],
  messages: [{ role: 'user', content: 'hello' }],
  tools: [],
  maxTokens: 100,
};

const START = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-haiku-5-5',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: {
      input_tokens: 7,
      cache_creation_input_tokens: 11,
      cache_read_input_tokens: 13,
      output_tokens: 1,
      inference_geo: 'us',
    },
  },
};
const REPORTED = { input: 7, cache_write: 11, cache_read: 13, output: 1, geo: 'us' };
const PING = { type: 'ping' };
const STOP = { type: 'message_stop' };
const begin = (index: number, content_block: object): object => ({ type: 'content_block_start', index, content_block });
const delta = (index: number, change: object): object => ({ type: 'content_block_delta', index, delta: change });
const end = (index: number): object => ({ type: 'content_block_stop', index });
const finish = (stop_reason: string): object => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence: null },
  usage: { output_tokens: 42 },
});
const failure = (type: string, message = 'not now'): object => ({ type: 'error', error: { type, message } });

const TEXT = [begin(0, { type: 'text', text: '' }), delta(0, { type: 'text_delta', text: 'Hello' }), end(0)];
const WHOLE = [START, ...TEXT, finish('end_turn'), STOP];

const toFrame = (event: object): string =>
  `event: ${String(Reflect.get(event, 'type'))}\ndata: ${JSON.stringify(event)}\n\n`;

function openStream(response: ServerResponse, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', ...headers });
}

/** Sends events, then ends the connection in order. */
const stream =
  (events: object[], headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    openStream(response, headers);
    response.end(events.map(toFrame).join(''));
  };

/** Sends events, then nothing. */
const stall =
  (events: object[]): Handler =>
  (_request, response) => {
    openStream(response);
    response.write(events.map(toFrame).join(''));
  };

/** Sends events, then resets the connection. */
const cut =
  (events: object[]): Handler =>
  (request, response) => {
    openStream(response);
    response.write(events.map(toFrame).join(''), () => request.socket.resetAndDestroy());
  };

const live = (): AbortSignal => new AbortController().signal;

async function call(handle: Handler, limits = LIMITS): Promise<ModelReply> {
  const { url } = await startRawProvider(handle);
  return createAnthropicModel({ apiKey: 'local-test-key', baseUrl: url, ...limits }).call(REQUEST, { signal: live() });
}

const fail = (handle: Handler, limits = LIMITS): Promise<FleetError> =>
  call(handle, limits).then(
    () => expect.fail('the call went well'),
    (thrown: FleetError) => thrown,
  );

/** A call whose adapter has read an event of this type. */
async function callUntil(
  type: string,
  handle: Handler,
): Promise<{ result: Promise<ModelReply>; leave: (reason: Error) => void }> {
  const { url } = await startRawProvider(handle);
  const model = createAnthropicModel({ apiKey: 'local-test-key', baseUrl: url, ...LIMITS });
  const read = vi.spyOn(StreamedReply.prototype, 'add');
  onTestFinished(() => read.mockRestore());
  const caller = new AbortController();
  const result = model.call(REQUEST, { signal: caller.signal });
  result.catch(() => {});
  await waitUntil(() => read.mock.calls.some(([event]) => event.type === type));
  return { result, leave: (reason) => caller.abort(reason) };
}

describe('a reply that arrives whole', () => {
  it('tells once, as its stream begins, what the prompt used', async () => {
    const { url } = await startRawProvider(stream(WHOLE));
    const model = createAnthropicModel({ apiKey: 'local-test-key', baseUrl: url, ...LIMITS });
    const told: BilledUsage[] = [];
    await model.call(REQUEST, { signal: live(), onInput: (reported) => told.push(reported) });
    expect(told).toEqual([REPORTED]);
  });

  it('is put together from thinking, text and a tool call, with usage and place', async () => {
    const events = [
      START,
      begin(0, { type: 'thinking', thinking: '', signature: '' }),
      PING,
      delta(0, { type: 'signature_delta', signature: 'c2lnbmVk' }),
      end(0),
      begin(1, { type: 'text', text: '' }),
      delta(1, { type: 'text_delta', text: 'Größe: ' }),
      delta(1, { type: 'text_delta', text: '🐘' }),
      end(1),
      begin(2, { type: 'tool_use', id: 'toolu_1', name: 'read', input: {} }),
      delta(2, { type: 'input_json_delta', partial_json: '' }),
      delta(2, { type: 'input_json_delta', partial_json: '{"file_pa' }),
      delta(2, { type: 'input_json_delta', partial_json: 'th":"a"}' }),
      end(2),
      begin(3, { type: 'tool_use', id: 'toolu_2', name: 'list', input: {} }),
      end(3),
      finish('tool_use'),
      STOP,
    ];
    expect(await call(stream(events))).toEqual({
      id: 'msg_1',
      model: 'claude-haiku-5-5',
      content: [
        { type: 'thinking', thinking: '', signature: 'c2lnbmVk' },
        { type: 'text', text: 'Größe: 🐘' },
        { type: 'tool_use', id: 'toolu_1', name: 'read', input: { file_path: 'a' } },
        { type: 'tool_use', id: 'toolu_2', name: 'list', input: {} },
      ],
      stopReason: 'tool_use',
      usage: { input: 7, cache_write: 11, cache_read: 13, output: 42 },
      geo: 'us',
    });
  });

  it('is put together from single bytes, with comments and line ends of the other kind', async () => {
    const text = `: keep-alive\r\n\r\n${WHOLE.map(toFrame).join('').replaceAll('\n', '\r\n')}`.replace(
      'Hello',
      'Grüß 🐘',
    );
    const reply = await call((_request, response) => {
      openStream(response);
      for (const byte of Buffer.from(text)) response.write(Buffer.of(byte));
      response.end();
    });
    expect(reply).toMatchObject({ content: [{ type: 'text', text: 'Grüß 🐘' }], stopReason: 'end_turn' });
  });

  it('skips events and deltas that it does not know', async () => {
    const events = [
      START,
      { type: 'weather', sun: true },
      ...TEXT,
      delta(0, { type: 'mood_delta' }),
      finish('end_turn'),
      STOP,
    ];
    expect(await call(stream(events))).toMatchObject({ content: [{ type: 'text', text: 'Hello' }] });
  });

  it.each<[string, Handler]>([
    ['resets after the last event', cut(WHOLE)],
    ['resets before the last event', cut(WHOLE.slice(0, -1))],
    ['ends before the last event', stream(WHOLE.slice(0, -1))],
    ['stays open after the last event', stall(WHOLE)],
  ])('is returned if the connection %s: it is paid for', async (_what, handle) => {
    expect(await call(handle)).toMatchObject({ content: [{ type: 'text', text: 'Hello' }], usage: { output: 42 } });
  });

  it('is returned if the caller goes away after it', async () => {
    const { result, leave } = await callUntil('message_stop', stall(WHOLE));
    leave(new ShutdownError('going away'));
    expect(await result).toMatchObject({ stopReason: 'end_turn' });
  });

  it('keeps a tool call whose input a limit cut, without its input', async () => {
    const events = [
      START,
      begin(0, { type: 'tool_use', id: 'toolu_1', name: 'write', input: {} }),
      delta(0, { type: 'input_json_delta', partial_json: '{"content":"half of' }),
      end(0),
      finish('max_tokens'),
      STOP,
    ];
    expect(await call(stream(events))).toMatchObject({
      stopReason: 'max_tokens',
      content: [{ type: 'tool_use', name: 'write', input: {} }],
      usage: { output: 42 },
    });
  });

  it('may hold thinking without a signature', async () => {
    const events = [START, begin(0, { type: 'thinking', thinking: '' }), end(0), finish('end_turn'), STOP];
    expect(await call(stream(events))).toMatchObject({ content: [{ type: 'thinking', thinking: '' }] });
  });

  it('is malformed, its cost known, with a tool call that is no JSON', async () => {
    const events = [
      START,
      begin(0, { type: 'tool_use', id: 'toolu_1', name: 'read', input: {} }),
      delta(0, { type: 'input_json_delta', partial_json: '{"file_path' }),
      end(0),
      finish('tool_use'),
      STOP,
    ];
    const error = await fail(stream(events));
    expect(error).toMatchObject({ reason: 'malformed', billed: { input: 7, output: 42 } });
    expect(error.message).toContain('content.0.input');
  });
});

describe('a stream that breaks', () => {
  it.each<[string, Handler]>([
    ['ends', stream([START, ...TEXT])],
    ['is reset', cut([START, ...TEXT])],
    [
      'holds no JSON',
      (_request, response) => {
        openStream(response);
        response.end(`${toFrame(START)}event: ping\ndata: {"type":\n\n`);
      },
    ],
    ['holds a delta of no block', stream([START, delta(3, { type: 'text_delta', text: 'x' })])],
  ])('bills what was reported where it %s', async (_what, handle) => {
    const error = await fail(handle);
    expect(error).toMatchObject({ name: 'ProviderUnavailableError', sent: true, billed: { reported: REPORTED } });
  });

  it('bills the latest count', async () => {
    const progress = { type: 'message_delta', delta: {}, usage: { output_tokens: 5 } };
    expect(await fail(cut([START, ...TEXT, progress]))).toMatchObject({
      billed: { reported: { ...REPORTED, output: 5 } },
    });
  });

  it.each<[string, Handler]>([
    ['ends', stream([])],
    ['is reset', cut([PING])],
  ])('leaves the cost unknown where it %s before the first message', async (_what, handle) => {
    expect(await fail(handle)).toMatchObject({ name: 'ProviderUnavailableError', sent: true, billed: 'unknown' });
  });
});

describe('an error in the stream', () => {
  it.each([
    ['overloaded_error', { name: 'ProviderUnavailableError', sent: true }],
    ['api_error', { name: 'ProviderUnavailableError', sent: true }],
    ['timeout_error', { name: 'ProviderUnavailableError', sent: true }],
    ['an_error_of_tomorrow', { name: 'ProviderUnavailableError', sent: true }],
    ['rate_limit_error', { name: 'RateLimitedError' }],
    ['authentication_error', { name: 'AccountRefusedError' }],
    ['invalid_request_error', { name: 'TaskFailedError' }],
  ])('%s is classified by its type, with the reported usage', async (type, expected) => {
    const error = await fail(stream([START, ...TEXT, failure(type)]));
    expect(error).toMatchObject({ ...expected, billed: { reported: REPORTED } });
    expect(error.message).toContain(`${type}: not now`);
  });

  it.each([
    ['overloaded_error', { name: 'ProviderUnavailableError', sent: false }],
    ['rate_limit_error', { name: 'RateLimitedError' }],
  ])('%s costs nothing before the reply began', async (type, expected) => {
    expect(await fail(stream([failure(type)]))).toMatchObject({ ...expected, billed: 'no' });
  });
});

describe('time limits', () => {
  it.each<[string, Handler, object]>([
    ['before the headers', () => {}, { billed: 'unknown' }],
    ['before the first event', stall([]), { billed: 'unknown' }],
    ['in the middle', stall([START, ...TEXT]), { billed: { reported: REPORTED } }],
  ])('end a call that is silent %s', async (_when, handle, cost) => {
    const error = await fail(handle, { ...LIMITS, idleMs: 100 });
    expect(error).toMatchObject({ name: 'CallTimeoutError', limit: 'idle', sent: true, ...cost });
    expect(error.message).toContain('nothing arrived for 100 ms');
  });

  it('let a slow reply arrive, also one that only pings for long', async () => {
    const reply = await call(
      (_request, response) => {
        openStream(response);
        const events = [START, PING, PING, PING, ...TEXT, finish('end_turn'), STOP].map(toFrame);
        const timer = setInterval(() => {
          const frame = events.shift();
          if (frame !== undefined) return response.write(frame);
          clearInterval(timer);
          return response.end();
        }, 60);
      },
      { idleMs: 300, totalMs: 20_000 },
    );
    expect(reply).toMatchObject({ stopReason: 'end_turn' });
  });

  it('end a call that pings for ever', async () => {
    const handle: Handler = (_request, response) => {
      openStream(response);
      response.write(toFrame(START));
      const timer = setInterval(() => response.write(toFrame(PING)), 20);
      response.on('close', () => clearInterval(timer));
    };
    const error = await fail(handle, { idleMs: 10_000, totalMs: 200 });
    expect(error).toMatchObject({ name: 'CallTimeoutError', limit: 'total', billed: { reported: REPORTED } });
  });

  it('end the request at the provider too', async () => {
    let left: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    const handle: Handler = (_request, response) => {
      response.on('close', left);
      stall([START])(_request, response, '');
    };
    await fail(handle, { ...LIMITS, idleMs: 100 });
    await gone;
  });
});

it("gives the caller's own reason, with what was reported, when the caller ends the call", async () => {
  const { result, leave } = await callUntil('message_start', stall([START, ...TEXT]));
  const reason = new ShutdownError('going away');
  leave(reason);
  await expect(result).rejects.toBe(reason);
  expect(reason.billed).toEqual({ reported: { ...REPORTED, geo: 'us' } });
});

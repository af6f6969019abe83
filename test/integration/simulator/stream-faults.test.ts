import Anthropic, { APIConnectionError, APIError } from '@anthropic-ai/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../../simulator/anthropic/faults/fault.ts';
import { type AnthropicSimulator, startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { waitUntil } from '../../support/wait.ts';

const TEXT = 'one two three four '.repeat(20);
let simulator: AnthropicSimulator;
let wholeOutput: number;

beforeEach(async () => {
  const reply = { content: [{ type: 'text' as const, text: TEXT }] };
  simulator = await startAnthropicSimulator({ latencyMs: 0, model: { reply: () => reply } });
  await read();
  wholeOutput = simulator.requests()[0]?.usage?.output ?? 0;
  simulator.clearLog();
});

afterEach(() => simulator.close());

describe('a stream that fails on the way', () => {
  it.each([
    [{ kind: 'overloaded-mid-stream' }, { type: 'overloaded_error', message: 'Overloaded' }],
    [{ kind: 'error-mid-stream' }, { type: 'api_error' }],
    [{ kind: 'error-mid-stream', errorType: 'rate_limit_error', message: 'slower' }, { type: 'rate_limit_error' }],
  ] satisfies [Fault, object][])('%j is an error event of its type', async (fault, expected) => {
    simulator.setFaults([fault]);
    const { events, thrown } = await read();
    expect(events).toContain('content_block_delta');
    expect(thrown).toBeInstanceOf(APIError);
    expect(thrown).toMatchObject({ status: undefined, type: expected.type });
    expectPartlyBilled(fault.kind);
  });

  it('a cut ends the body without an error, and without the end of the message', async () => {
    simulator.setFaults([{ kind: 'cut' }]);
    const { events, thrown } = await read();
    expect(thrown).toBeNull();
    expect(events).toContain('content_block_delta');
    expect(events).not.toContain('message_delta');
    expectPartlyBilled('cut');
  });

  it('a reset breaks the connection after the events before it have arrived', async () => {
    simulator.setFaults([{ kind: 'reset-mid-stream' }]);
    const { events, thrown } = await read();
    expect(thrown).not.toBeNull();
    expect(thrown).not.toBeInstanceOf(APIError);
    expect(events).toContain('content_block_delta');
    expectPartlyBilled('reset-mid-stream');
    expect(simulator.requests()[0]?.clientGone).toBe(false);
  });

  it('a stall sends nothing more until the client leaves', async () => {
    simulator.setFaults([{ kind: 'stall', afterEvents: 4 }]);
    const abort = new AbortController();
    const events: string[] = [];
    const reading = read({ signal: abort.signal, onEvent: (type) => events.push(type) });
    await waitUntil(() => events.length === 3); // the SDK hides the ping
    abort.abort();
    await reading;
    await waitUntil(() => simulator.requests()[0]?.clientGone === true);
    expect(events).toEqual(['message_start', 'content_block_start', 'content_block_delta']);
    expectPartlyBilled('stall');
  });

  it('a stall of pings lasts until the client leaves', async () => {
    simulator.setFaults([{ kind: 'pings-only', afterEvents: 2, delayMs: 5 }]);
    const abort = new AbortController();
    const response = await fetch(`${simulator.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'simulated', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({ ...params(), stream: true }),
      signal: abort.signal,
    });
    let text = '';
    await expect(async () => {
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk).toString();
        if (text.split('event: ping').length > 4) abort.abort();
      }
    }).rejects.toThrow(/abort/);
    await waitUntil(() => simulator.requests()[0]?.clientGone === true);
    expect(simulator.requests()[0]?.usage?.output).toBe(1);
  });
});

describe('the point of a fault', () => {
  it('may be before the first event', async () => {
    simulator.setFaults([{ kind: 'cut', afterEvents: 0 }]);
    expect(await read()).toMatchObject({ events: [], thrown: null });
    expect(simulator.requests()[0]).toMatchObject({ status: 200, served: true, usage: { output: 0 } });
  });

  it('may be an amount of text, and never lets the whole reply through', async () => {
    simulator.setFaults([{ kind: 'cut', afterCharacters: 100 }]);
    const { text } = await read();
    expect(text.length).toBeGreaterThanOrEqual(100);
    expect(text.length).toBeLessThan(TEXT.length);
    simulator.setFaults([{ kind: 'cut', afterEvents: 1_000 }]);
    const { events } = await read();
    expect(events.at(-1)).toBe('message_delta');
    simulator.setFaults([{ kind: 'cut', afterCharacters: 100_000 }]);
    expect((await read()).events.at(-1)).toBe('message_delta');
  });

  it('is kept when the reply has a latency', async () => {
    simulator.setLatency(450);
    simulator.setFaults([{ kind: 'cut', afterEvents: 5 }]);
    expect((await read()).events).toHaveLength(4); // and a ping
  });
});

describe('the other faults', () => {
  it('a request that does not stream is not touched by those of a stream', async () => {
    simulator.setFaults([{ kind: 'cut' }]);
    expect((await client().messages.create(params())).stop_reason).toBe('end_turn');
  });

  it.each(['slow-body', 'slow-headers'] as const)('%s arrives whole in the end', async (kind) => {
    simulator.setFaults([{ kind, delayMs: 30 }]);
    expect((await read()).text).toBe(TEXT);
  });

  it.each(['reset-before', 'reset-after'] as const)('%s is a connection error', async (kind) => {
    simulator.setFaults([{ kind }]);
    expect((await read()).thrown).toBeInstanceOf(APIConnectionError);
    expect(simulator.served().calls).toBe(kind === 'reset-after' ? 1 : 0);
  });

  it('broken-json breaks off in the middle of an event, and is billed whole', async () => {
    simulator.setFaults([{ kind: 'broken-json' }]);
    expect((await read()).events).not.toContain('message_stop');
    expect(simulator.requests()[0]?.usage?.output).toBe(wholeOutput);
  });
});

/** The prompt is billed, and of the reply what was sent. */
function expectPartlyBilled(fault: string): void {
  const [record] = simulator.requests();
  expect(record).toMatchObject({ fault, status: 200, served: true });
  expect(record?.usage?.input).toBeGreaterThan(0);
  expect(record?.usage?.output).toBeGreaterThan(1);
  expect(record?.usage?.output).toBeLessThan(wholeOutput);
  expect(simulator.served()).toMatchObject({ calls: 1, usage: record?.usage, billNanoUsd: record?.billNanoUsd });
}

/** Reads a stream with the SDK until it ends or fails. */
async function read(
  options: { signal?: AbortSignal; onEvent?: (type: string) => void } = {},
): Promise<{ events: string[]; text: string; thrown: unknown }> {
  const { signal, onEvent } = options;
  const events: string[] = [];
  let text = '';
  try {
    const stream = await client().messages.create({ ...params(), stream: true }, { ...(signal && { signal }) });
    for await (const event of stream) {
      events.push(event.type);
      onEvent?.(event.type);
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text;
    }
    return { events, text, thrown: null };
  } catch (thrown) {
    return { events, text, thrown };
  }
}

function params(): Anthropic.MessageCreateParamsNonStreaming {
  return { model: 'claude-haiku-5-5', max_tokens: 2_000, messages: [{ role: 'user', content: 'Count.' }] };
}

function client(): Anthropic {
  return new Anthropic({ apiKey: 'simulated', baseURL: simulator.url, maxRetries: 0, logLevel: 'off' });
}

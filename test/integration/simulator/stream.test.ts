import Anthropic from '@anthropic-ai/sdk';
import { LLMock } from '@copilotkit/aimock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AnthropicSimulator, startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import type { ModelReply } from '../../../simulator/model/types.ts';
import { type StreamedEvent, streamEvents } from '../../support/models/stream-events.ts';
import { waitUntil } from '../../support/wait.ts';

const TEXT = `Three lines, and a hat: ${'🎩'.repeat(40)}.`;
const CALL = {
  type: 'tool_use' as const,
  name: 'read',
  input: { file_path: 'a/rather/long/path/to/a/file.txt', limit: 3 },
};
let simulator: AnthropicSimulator;
let reply: ModelReply;

beforeEach(async () => {
  reply = { content: [{ type: 'text', text: TEXT }, CALL] };
  simulator = await startAnthropicSimulator({ latencyMs: 0, model: { reply: () => reply } });
});

afterEach(() => simulator.close());

describe('a whole stream', () => {
  it('is the message of a call without streaming', async () => {
    const whole = await client().messages.create(params());
    const streamed = await client().messages.stream(params()).finalMessage();
    expect(streamed).toMatchObject({ ...whole, id: streamed.id, content: withIds(whole.content, streamed.content) });
    expect(streamed.stop_reason).toBe('tool_use');
    const [first, second] = simulator.requests();
    expect(second).toMatchObject({ usage: first?.usage, billNanoUsd: first?.billNanoUsd, served: true, status: 200 });
    expect(simulator.served().calls).toBe(2);
  });

  it('sends the events of the documentation in their order', async () => {
    const events = await streamEvents(simulator.url, params());
    expect(toOutline(events)).toEqual([
      'message_start',
      'content_block_start 0',
      'ping',
      'content_block_delta 0 text_delta',
      'content_block_stop 0',
      'content_block_start 1',
      'content_block_delta 1 input_json_delta',
      'content_block_stop 1',
      'message_delta',
      'message_stop',
    ]);
    for (const { event, data } of events) expect(data.type).toBe(event);
    expect(events[0]?.data).toMatchObject({
      message: { content: [], stop_reason: null, usage: { input_tokens: expect.any(Number), output_tokens: 1 } },
    });
    expect(events.at(-2)?.data).toMatchObject({
      delta: { stop_reason: 'tool_use', stop_sequence: null },
      usage: { output_tokens: simulator.requests()[0]?.usage?.output, cache_read_input_tokens: 0 },
    });
    const pieces = events.flatMap(({ data }) =>
      data.delta?.type === 'input_json_delta' ? [data.delta.partial_json] : [],
    );
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces[0]).toBe('');
    expect(JSON.parse(pieces.join(''))).toEqual(CALL.input);
  });

  it('cuts no delta within a character', async () => {
    const texts = (await streamEvents(simulator.url, params())).map(({ data }) => data.delta?.text ?? '');
    expect(texts.filter((text) => text !== '').length).toBeGreaterThan(2);
    expect(texts.every((text) => text.isWellFormed())).toBe(true);
  });

  it('sends thinking as its signature alone, after the headers of the limits, and bills it once it was sent', async () => {
    const thinking = { ...params(), thinking: { type: 'adaptive' as const } };
    const { data: streamed, response } = await client().messages.create(thinking).withResponse();
    expect(response.headers.get('anthropic-ratelimit-output-tokens-limit')).toBe('400000');
    const thinkingTokens = streamed.usage.output_tokens_details?.thinking_tokens ?? 0;
    expect(thinkingTokens).toBeGreaterThanOrEqual(50);
    const events = await streamEvents(simulator.url, thinking);
    expect(toOutline(events).slice(0, 6)).toEqual([
      'message_start',
      'content_block_start 0',
      'ping',
      'content_block_delta 0 signature_delta',
      'content_block_stop 0',
      'content_block_start 1',
    ]);
    const start = events.find(({ event }) => event === 'content_block_start');
    expect(start?.data).toMatchObject({ content_block: { type: 'thinking', thinking: '', signature: '' } });
    const whole = simulator.requests()[1]?.usage?.output ?? 0;
    const billedAfter = async (afterEvents: number): Promise<number> => {
      simulator.setFaults([{ kind: 'cut', afterEvents }]);
      await streamEvents(simulator.url, thinking);
      return simulator.requests().at(-1)?.usage?.output ?? 0;
    };
    expect(await billedAfter(3)).toBe(1);
    expect(await billedAfter(4)).toBeGreaterThanOrEqual(50);
    expect(await billedAfter(4)).toBeLessThan(whole);
  });

  it('begins before it ends, and bills a client that leaves for what was sent', async () => {
    await streamEvents(simulator.url, params());
    reply = { ...reply, latencyMs: 2_000 };
    for await (const event of await client().messages.create({ ...params(), stream: true })) {
      expect(event.type).toBe('message_start');
      expect(simulator.requests()[1]?.finishedAt).toBeNull();
      break;
    }
    await waitUntil(() => simulator.requests()[1]?.clientGone === true);
    const [whole, left] = simulator.requests();
    expect(left).toMatchObject({ served: true, usage: { input: whole?.usage?.input } });
    expect(left?.usage?.output).toBeLessThan(whole?.usage?.output ?? 0);
    expect(simulator.served()).toMatchObject({
      calls: 2,
      billNanoUsd: (whole?.billNanoUsd ?? 0) + (left?.billNanoUsd ?? 0),
    });
  });

  it('carries an empty content, a refusal and a cut', async () => {
    reply = { content: [] };
    expect(toOutline(await streamEvents(simulator.url, params()))).toEqual([
      'message_start',
      'message_delta',
      'message_stop',
    ]);
    reply = { content: [], refusal: 'No.' };
    expect((await client().messages.stream(params()).finalMessage()).stop_details).toMatchObject({
      explanation: 'No.',
    });
    reply = { content: [{ type: 'text', text: TEXT }] };
    const cut = await client()
      .messages.stream({ ...params(), max_tokens: 5 })
      .finalMessage();
    expect(cut).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 5 } });
  });

  it('answers an error before the stream begins as JSON', async () => {
    simulator.setFaults([{ kind: 'overloaded' }]);
    const call = client().messages.create({ ...params(), stream: true });
    await expect(call).rejects.toMatchObject({ status: 529, type: 'overloaded_error' });
  });

  it('has the events and shapes of another simulated provider', async () => {
    const other = new LLMock({ port: 0, host: '127.0.0.1' });
    await other.start();
    try {
      other.onMessage('how long', {
        content: TEXT,
        toolCalls: [{ id: 'toolu_1', name: CALL.name, arguments: JSON.stringify(CALL.input) }],
      });
      const theirs = await streamEvents(other.url, params());
      const ours = await streamEvents(simulator.url, params());
      const withoutPings = (events: StreamedEvent[]) => toOutline(events.filter(({ event }) => event !== 'ping'));
      expect(withoutPings(ours)).toEqual(withoutPings(theirs));
      for (const event of theirs) {
        const same = ours.find((one) => toOutline([one])[0] === toOutline([event])[0]);
        expect(toShape(same?.data)).toEqual(expect.arrayContaining(toShape(event.data)));
      }
    } finally {
      await other.stop();
    }
  });
});

/** The kinds of the events in order; deltas of the same kind that follow each other once. */
function toOutline(events: readonly StreamedEvent[]): string[] {
  const lines = events.map(({ data }) =>
    [data.type, data.index, data.delta?.type].filter((x) => x !== undefined).join(' '),
  );
  return lines.filter((line, i) => line !== lines[i - 1]);
}

/** Every field with the type of its value, such as `message.usage.input_tokens: number`. */
function toShape(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [`${path}: ${value === null ? 'null' : typeof value}`];
  return Object.entries(value).flatMap(([key, inner]) => toShape(inner, path === '' ? key : `${path}.${key}`));
}

/** Tool ids are made from the whole request, `stream` included. */
function withIds(content: Anthropic.ContentBlock[], ids: Anthropic.ContentBlock[]): object[] {
  return content.map((block, i) => ({ ...block, ...('id' in block && { id: Reflect.get(ids[i] ?? {}, 'id') }) }));
}

function params(): Anthropic.MessageCreateParamsNonStreaming {
  return {
    model: 'claude-haiku-5-5',
    max_tokens: 2_000,
    thinking: { type: 'disabled' }, // a test of thinking asks for it
    tools: [{ name: 'read', input_schema: { type: 'object', properties: { file_path: { type: 'string' } } } }],
    messages: [{ role: 'user', content: 'how long is a.txt?' }],
  };
}

function client(): Anthropic {
  return new Anthropic({ apiKey: 'simulated', baseURL: simulator.url, maxRetries: 0, logLevel: 'off' });
}

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PrefixCache } from '../../../simulator/anthropic/prompt/prefix-cache.ts';
import {
  type PromptSegment,
  sumTokens,
  toPromptSegments,
} from '../../../simulator/anthropic/prompt/prompt-segments.ts';
import type { MessagesRequest } from '../../../simulator/model/types.ts';
import { estimateTokens } from '../../../simulator/provider-host/tokens.ts';
import { billNanoUsd, findServedModel } from '../../../simulator/anthropic/api/served-model.ts';

const MODEL = 'claude-haiku-5-5';
const LENIENT = findServedModel(MODEL, 'lenient');
const segment = (identity: string, tokens: number, breakpoint = false): PromptSegment => ({
  identity,
  size: tokens * 4,
  breakpoint,
  place: null,
});

function createCache() {
  let now = 1_000;
  const cache = new PrefixCache(() => now);
  const ask = (segments: PromptSegment[], model = LENIENT) => {
    const { keep, ...split } = cache.split(model, segments);
    keep();
    return split;
  };
  return { cache, ask, pass: (ms: number) => (now += ms) };
}

describe('prompt caching', () => {
  const prefix = segment('system', 2_000, true);

  it('writes a prefix once and reads it after', () => {
    const { ask } = createCache();
    expect(ask([prefix, segment('a', 10)])).toEqual({ input: 10, cache_write: 2_000, cache_read: 0 });
    expect(ask([prefix, segment('b', 20)])).toEqual({ input: 20, cache_write: 0, cache_read: 2_000 });
  });

  it('grows with a conversation: the old part is read, the new part written', () => {
    const { ask } = createCache();
    ask([segment('task', 2_000, true)]);
    const next = [segment('task', 2_000), segment('call', 50), segment('result', 300, true)];
    expect(ask(next)).toEqual({ input: 0, cache_write: 350, cache_read: 2_000 });
  });

  it('cannot be read before the first reply started', () => {
    const { cache } = createCache();
    const first = cache.split(LENIENT, [prefix]);
    expect(cache.split(LENIENT, [prefix])).toMatchObject({ cache_write: 2_000, cache_read: 0 });
    first.keep();
    expect(cache.split(LENIENT, [prefix])).toMatchObject({ cache_write: 0, cache_read: 2_000 });
  });

  it('lives five minutes after its last use', () => {
    const { ask, pass } = createCache();
    ask([prefix]);
    pass(4 * 60_000);
    expect(ask([prefix]).cache_read).toBe(2_000);
    pass(4 * 60_000);
    expect(ask([prefix]).cache_read).toBe(2_000);
    pass(5 * 60_000);
    expect(ask([prefix])).toMatchObject({ cache_write: 2_000, cache_read: 0 });
  });

  it('is not shared between models', () => {
    const { ask } = createCache();
    ask([prefix]);
    expect(ask([prefix], findServedModel('claude-haiku-4-5', 'lenient')).cache_read).toBe(0);
  });

  it('does not keep a prefix below 1,024 tokens', () => {
    const { ask } = createCache();
    const short = segment('short', 1_023, true);
    expect(ask([short])).toEqual({ input: 1_023, cache_write: 0, cache_read: 0 });
    expect(ask([short])).toEqual({ input: 1_023, cache_write: 0, cache_read: 0 });
  });

  it('is missed when anything before the breakpoint changed', () => {
    const { ask } = createCache();
    ask([segment('tool', 10), prefix]);
    expect(ask([segment('other tool', 10), prefix]).cache_read).toBe(0);
  });

  it('splits every prompt into parts that sum up to it', () => {
    const part = fc.record({
      identity: fc.constantFrom('a', 'b', 'c'),
      size: fc.nat(9_000),
      breakpoint: fc.boolean(),
      place: fc.constant(null),
    });
    const prompts = fc.array(fc.array(part, { maxLength: 30 }), { maxLength: 12 });
    fc.assert(
      fc.property(prompts, (asked) => {
        const { ask } = createCache();
        for (const segments of asked) {
          const { input, cache_write: write, cache_read: read } = ask(segments);
          expect(input + write + read).toBe(sumTokens(segments, LENIENT));
          expect(Math.min(input, write, read)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

describe('token counts', () => {
  it('never exceed the bytes of the request', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'é', '€', '𝄞'), maxLength: 50 }), (text) => {
        expect(estimateTokens(text)).toBeLessThanOrEqual(Buffer.byteLength(text));
      }),
    );
  });

  it('count tools, system, texts, calls and results', () => {
    const tool = { name: 'read', input_schema: { type: 'object' as const } };
    const request: MessagesRequest = {
      model: MODEL,
      max_tokens: 1,
      tools: [tool],
      system: 'abcd',
      messages: [
        { role: 'user', content: 'abcdefgh' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'x', name: 'read', input: { a: 1 } }] },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'x', content: [{ type: 'text', text: 'abcd' }] }],
        },
      ],
    };
    const segments = toPromptSegments(request, LENIENT);
    expect(segments.map(({ size }) => size)).toEqual([JSON.stringify(tool).length, 4, 8, 'read{"a":1}'.length, 4]);
  });

  it('are the same for a text as string or as block', () => {
    const request = (content: string | { type: 'text'; text: string }[]) =>
      toPromptSegments({ model: MODEL, max_tokens: 1, messages: [{ role: 'user', content }] }, LENIENT);
    expect(request([{ type: 'text', text: 'Hi' }])).toEqual(request('Hi'));
  });
});

describe('the bill', () => {
  it('adds up each kind of token at its own rate', () => {
    const usage = { input: 10, cache_write: 100, cache_read: 1_000, output: 7 };
    expect(billNanoUsd(findServedModel('claude-sonnet-4-5'), usage)).toBe(30_000 + 375_000 + 300_000 + 105_000);
  });

  it('is five times as high for a whole Haiku 5.5 request above 100,000 tokens of prompt', () => {
    const model = findServedModel(MODEL);
    const i = { input: 40_000, cache_write: 30_000, cache_read: 30_000, output: 10 };
    expect(billNanoUsd(model, i)).toBe(4_000_000 + 3_750_000 + 300_000 + 5_000);
    expect(billNanoUsd(model, { ...i, input: 40_001 })).toBe(5 * (4_000_100 + 3_750_000 + 300_000 + 5_000));
  });
});

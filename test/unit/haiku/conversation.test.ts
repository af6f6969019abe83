import type { ReplyBlock } from '../../../src/models/format.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conversation } from '../../../src/haiku/loop/conversation.ts';
import type { ModelReply } from '../../../src/models/model.ts';
import { checkThinking, hasThinking, toThinking } from '../../support/models/thinking-model.ts';

const fixed = [[{ type: 'text', text: 'You are a worker.' }], [{ name: 'read' }]];
/** The prompt of a conversation, for the check of its thinking. */
const toPrompt = ({ messages }: Conversation) => ({ system: [], tools: [], messages });
const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Texts of the tool results of each turn, and how many bytes a token of this provider has on average. */
const turns = fc.array(
  fc.array(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), longText()), { maxLength: 5 }),
  {
    maxLength: 12,
  },
);
const bytesPerToken = fc.double({ min: 1, max: 6, noNaN: true });
const limit = fc.integer({ min: 100, max: 20_000 });

function longText(): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom('a', 'é', '漢', '🙂', '\n', '"'), fc.integer({ min: 100, max: 6_000 }))
    .map(([c, n]) => c.repeat(n));
}

/** The count of a provider: of each part that is still in the prompt. */
function count(conversation: Conversation, perToken: number): number {
  const parts = [
    ...fixed,
    ...conversation.messages.flatMap(({ content }): unknown[] => (Array.isArray(content) ? content : [content])),
  ];
  return parts.reduce((sum: number, part) => sum + Math.max(1, Math.floor(bytes(part) / perToken)), 0);
}

function toReply(turn: number, uses: number, prompt: number, conversation: Conversation): ModelReply {
  const content = [
    toThinking(toPrompt(conversation)),
    ...Array.from({ length: uses }, (_, i) => ({
      type: 'tool_use',
      id: `toolu_${turn}_${i}`,
      name: 'read',
      input: { file_path: `${i}.ts` },
    })),
  ] as ReplyBlock[];
  const usage = {
    input: prompt,
    cache_write: 0,
    cache_read: 0,
    output: content.reduce((sum, block) => sum + bytes(block), 0),
  };
  return { id: `msg_${turn}`, model: 'claude-haiku-5-5', content, stopReason: 'tool_use', usage };
}

/** Runs the turns of a task; `onPrompt` gets the conversation before each call. */
function play(
  results: string[][],
  perToken: number,
  limitTokens: number,
  onPrompt: (conversation: Conversation, before: string[], dropped: number) => void = () => undefined,
): Conversation {
  const conversation = new Conversation(fixed, 'How long is each file?');
  for (const [turn, texts] of results.entries()) {
    const before = toContents(conversation);
    const dropped = conversation.trim(limitTokens);
    onPrompt(conversation, before, dropped);
    conversation.addReply(toReply(turn, texts.length, count(conversation, perToken), conversation));
    conversation.addUser(
      texts.map((content, i) => ({ type: 'tool_result', tool_use_id: `toolu_${turn}_${i}`, content })),
    );
  }
  return conversation;
}

/** Contents of the tool results, oldest first. */
function toContents({ messages }: Conversation): string[] {
  return messages.flatMap(({ content }) =>
    typeof content === 'string'
      ? []
      : content.flatMap((block) =>
          block.type === 'tool_result' ? [typeof block.content === 'string' ? block.content : ''] : [],
        ),
  );
}

const isDropped = (content: string | undefined): boolean =>
  content?.startsWith('[this tool result was dropped') ?? false;

describe('Conversation', () => {
  it('never bounds a prompt below what any provider counts', () => {
    fc.assert(
      fc.property(turns, bytesPerToken, limit, (results, perToken, limitTokens) => {
        const end = play(results, perToken, limitTokens, (conversation) => {
          expect(conversation.bound.inputBytesBound).toBeGreaterThanOrEqual(count(conversation, perToken));
        });
        expect(end.bound.inputBytesBound).toBeGreaterThanOrEqual(count(end, perToken));
      }),
    );
  });

  it('bounds a prompt full of tiny results that were dropped', () => {
    const results = Array.from({ length: 60 }, (_, turn) =>
      turn === 58 ? ['x'.repeat(90_000)] : ['1', '2', '3', '4'],
    );
    play(results, 1, 20_000, (conversation) => {
      expect(conversation.bound.inputBytesBound).toBeGreaterThanOrEqual(count(conversation, 1));
    });
  });

  it('drops the oldest results first, and of the latest only the last ones, if they alone are too long', () => {
    fc.assert(
      fc.property(turns, bytesPerToken, limit, (results, perToken, limitTokens) => {
        let latest = 0;
        let turn = 0;
        play(results, perToken, limitTokens, (conversation, before, dropped) => {
          const after = toContents(conversation);
          const changed = after.flatMap((content, i) => (content === before[i] ? [] : [i]));
          expect(changed).toHaveLength(dropped);
          const isLeft = (content: string): boolean => isDropped(content) || content.length < 200;
          const older = after.length - latest;
          const lastOlder = changed.filter((i) => i < older).at(-1) ?? 0;
          expect(after.slice(0, lastOlder).every(isLeft)).toBe(true);
          const firstLatest = changed.find((i) => i >= older);
          if (firstLatest !== undefined) {
            expect(after.slice(0, older).every(isLeft)).toBe(true);
            expect(after.slice(firstLatest).every(isLeft)).toBe(true);
          }
          latest = results[turn++]?.length ?? 0;
        });
      }),
    );
  });

  it('keeps as many of the latest results as have room', () => {
    const reads = Array.from({ length: 9 }, () => 'word '.repeat(11_400)); // 57 kB each, some 24,000 tokens
    const conversation = play([reads], 2.5, 80_000);
    expect(conversation.trim(80_000)).toBe(7);
    expect(toContents(conversation).map(isDropped)).toEqual(reads.map((_, i) => i > 1));
    expect(conversation.tokensEstimate).toBeLessThan(72_000);
  });

  it('sends no blank text back', () => {
    const conversation = new Conversation(fixed, 'How long is each file?');
    const reply = toReply(0, 1, 100, conversation);
    const blank = ['', ' \n'].map((text) => ({ type: 'text', text }) as const);
    conversation.addReply({ ...reply, content: [...blank, ...reply.content] });
    expect(conversation.messages.at(-1)?.content).toEqual(reply.content);
    conversation.addUser([{ type: 'tool_result', tool_use_id: 'toolu_0_0', content: 'a' }]);
    checkThinking(toPrompt(conversation));
  });

  it('comes well under the limit, or has nothing left to drop', () => {
    fc.assert(
      fc.property(turns, bytesPerToken, limit, (results, perToken, limitTokens) => {
        let latest = 0;
        let turn = 0;
        play(results, perToken, limitTokens, (conversation) => {
          const older = toContents(conversation).slice(0, latest === 0 ? undefined : -latest);
          const small = conversation.tokensEstimate <= limitTokens * 0.9;
          expect(small || older.every((content) => isDropped(content) || content.length < 200)).toBe(true);
          latest = results[turn++]?.length ?? 0;
        });
      }),
    );
  });

  it('is rebuilt to the letter when a run is replayed', () => {
    fc.assert(
      fc.property(turns, bytesPerToken, limit, (results, perToken, limitTokens) => {
        const [first, second] = [play(results, perToken, limitTokens), play(results, perToken, limitTokens)];
        expect(JSON.stringify(second.messages)).toBe(JSON.stringify(first.messages));
        expect([second.bound, second.tokensEstimate]).toEqual([first.bound, first.tokensEstimate]);
      }),
    );
  });

  it('sends no thinking after another prompt than the one that it is bound to', () => {
    fc.assert(
      fc.property(turns, bytesPerToken, limit, (results, perToken, limitTokens) => {
        play(results, perToken, limitTokens, (conversation) => checkThinking(toPrompt(conversation)));
      }),
    );
  });

  it('keeps all thinking while nothing is dropped, and drops all up to a reply to another prompt', () => {
    const conversation = play([['a'], ['b'], ['c']], 4, 100_000);
    expect(conversation.messages.filter((message) => hasThinking({ messages: [message] }))).toHaveLength(3);
    const foreign = toReply(3, 0, 100, play([['x']], 4, 100_000));
    expect(conversation.addReply(foreign, false)).toBe(4);
    expect(hasThinking(conversation)).toBe(false);
    conversation.addUser([{ type: 'text', text: 'Go on.' }]);
    conversation.addReply(toReply(4, 0, 100, conversation));
    checkThinking(toPrompt(conversation));
    expect(hasThinking(conversation)).toBe(true);
    expect(JSON.stringify(foreign)).toContain('thinking'); // the reply itself, which is stored, stays whole
  });

  it('touches nothing while the prompt is small', () => {
    const conversation = play([['a'.repeat(500)], ['b'.repeat(500)]], 4, 100_000);
    expect(conversation.trim(100_000)).toBe(0);
    expect(toContents(conversation)).toEqual(['a'.repeat(500), 'b'.repeat(500)]);
  });
});

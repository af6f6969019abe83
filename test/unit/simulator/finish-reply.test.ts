import { describe, expect, it } from 'vitest';
import { finishReply } from '../../../simulator/anthropic/reply/finish-reply.ts';

const reply = { content: [{ type: 'text' as const, text: 'x'.repeat(250) }] }; // 100 tokens

function finish(maxTokens: number, rest: { promptTokens?: number; thinkingTokens?: number } = {}) {
  const { promptTokens = 10, thinkingTokens = 60 } = rest;
  return finishReply(reply, {
    request: { model: 'm', max_tokens: maxTokens, messages: [] },
    requestHash: 'hash',
    model: { charactersPerToken: 2.5, contextTokens: 1_000 },
    promptTokens,
    thinking: thinkingTokens === 0 ? null : { tokens: thinkingTokens, signature: 'signed' },
  });
}

describe('a reply with thinking', () => {
  it('begins with the thinking, empty and signed, and counts it as output', () => {
    const { content, ...rest } = finish(500);
    expect(content[0]).toEqual({ type: 'thinking', thinking: '', signature: 'signed' });
    expect(content[1]).toMatchObject({ type: 'text' });
    expect(rest).toMatchObject({ output: 160, thinkingTokens: 60, stopReason: 'end_turn' });
  });

  it('is cut where thinking and text pass max_tokens together', () => {
    const { content, output, stopReason } = finish(100);
    expect(content[1]).toMatchObject({ text: 'x'.repeat(100) });
    expect({ output, stopReason }).toEqual({ output: 100, stopReason: 'max_tokens' });
  });

  it('is thinking without a signature where max_tokens ends it', () => {
    expect(finish(60)).toMatchObject({
      content: [{ type: 'thinking', thinking: '', signature: '' }],
      stopReason: 'max_tokens',
      output: 60,
    });
  });

  it('ends with the window where that is nearer than max_tokens', () => {
    expect(finish(500, { promptTokens: 900 })).toMatchObject({
      output: 100,
      stopReason: 'model_context_window_exceeded',
    });
    expect(finish(100, { promptTokens: 900 }).stopReason).toBe('max_tokens');
    expect(finish(500, { promptTokens: 840 }).stopReason).toBe('end_turn');
  });

  it('is half a pair nowhere', () => {
    const faces = { content: [{ type: 'text' as const, text: '😀'.repeat(100) }] };
    const cut = finishReply(faces, {
      request: { model: 'm', max_tokens: 2, messages: [] },
      requestHash: 'hash',
      model: { charactersPerToken: 2.5, contextTokens: 1_000 },
      promptTokens: 1,
      thinking: null,
    });
    expect(cut.content[0]).toMatchObject({ text: '😀😀\uFFFD' });
  });
});

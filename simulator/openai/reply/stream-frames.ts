import { cutText } from '../../provider-host/stream/cut-text.ts';
import type { StreamFrame } from '../../provider-host/stream/event-stream.ts';
import { type CompletionHead, toOwn } from './completion.ts';
import type { FinishedChat } from './finish-reply.ts';

const PIECE_CHARACTERS = 32; // of a delta, at least
const MAX_PIECES = 12; // of a part, so that a long one stays cheap

/** How a reply streams. */
export interface ChunkTerms {
  head: CompletionHead;
  /** In a chunk of its own after the end; null: the request did not ask for it, or the server reports none. */
  usage: object | null;
  /** Whether every other chunk has `usage: null`. */
  namesUsage: boolean;
  output: number;
  reasoningTokens: number;
}

/**
 * The chunks that carry a reply: the role, reasoning, text, calls, the reason of the end, the usage without choices, `[DONE]`. A call
 * begins with its id and name and goes on by its index. https://platform.openai.com/docs/api-reference/chat-streaming
 */
export function toChunks(reply: FinishedChat, terms: ChunkTerms): StreamFrame[] {
  const { head, usage, namesUsage, output, reasoningTokens } = terms;
  const frames: StreamFrame[] = [];
  const all = toSize(reply);
  let characters = 0;
  let thought = reply.reasoning === null ? reasoningTokens : 0;
  const add = (delta: object, finishReason: string | null = null): void => {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason: finishReason }];
    const share = all === 0 ? 1 : characters / all;
    const soFar = Math.min(output, thought + Math.floor((output - reasoningTokens) * share));
    frames.push(toFrame({ ...toChunk(head), choices, ...(namesUsage && { usage: null }) }, soFar, characters));
  };
  add({ role: 'assistant', content: '', refusal: null });
  for (const piece of cut(reply.reasoning ?? '')) add({ reasoning_content: piece });
  thought = reasoningTokens;
  for (const piece of cut(reply.refusal ?? '')) {
    characters += piece.length;
    add({ refusal: piece });
  }
  for (const piece of cut(reply.content ?? '')) {
    characters += piece.length;
    add({ content: piece });
  }
  for (const [index, { id, name, arguments: json }] of reply.calls.entries()) {
    add({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] });
    for (const piece of cut(json)) {
      characters += piece.length;
      add({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  }
  add({}, reply.finishReason);
  const last = frames.at(-1);
  if (last !== undefined) last.output = output;
  if (usage !== null) frames.push(toFrame({ ...toChunk(head), choices: [], usage }, output, characters));
  frames.push({ text: 'data: [DONE]\n\n', output, characters });
  return frames;
}

function toChunk(head: CompletionHead): object {
  return toOwn(head, 'chat.completion.chunk');
}

function toFrame(chunk: object, output: number, characters: number): StreamFrame {
  return { text: `data: ${JSON.stringify(chunk)}\n\n`, output, characters };
}

function cut(text: string): string[] {
  return cutText(text, PIECE_CHARACTERS, MAX_PIECES);
}

function toSize({ content, refusal, calls }: FinishedChat): number {
  const said = (content ?? '').length + (refusal ?? '').length;
  return calls.reduce((sum, call) => sum + call.arguments.length, said);
}

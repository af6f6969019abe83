import type Anthropic from '@anthropic-ai/sdk';
import type { MessagesRequest, ModelReply, ReplyBlock } from '../../model/types.ts';
import { estimateTokens } from '../../provider-host/tokens.ts';
import type { ServedModel } from '../api/model-table.ts';

export interface FinishedReply {
  content: Anthropic.ContentBlock[];
  stopReason: Anthropic.StopReason;
  stopSequence: string | null;
  stopExplanation: string | null;
  /** Tokens billed for `content`, thinking included. */
  output: number;
  /** Of them, tokens of thinking. */
  thinkingTokens: number;
}

/** What a reply depends on besides the model's words. */
export interface ReplyTerms {
  request: MessagesRequest;
  requestHash: string;
  model: Pick<ServedModel, 'charactersPerToken' | 'contextTokens'>;
  promptTokens: number;
  /** What the model thinks first; null: nothing. */
  thinking: { tokens: number; signature: string } | null;
}

/**
 * Turns the model's reply into content blocks and cuts it at the request's stop sequences, at `max_tokens` and at the end of
 * the model's window. https://docs.claude.com/en/api/handling-stop-reasons
 */
export function finishReply(reply: ModelReply, terms: ReplyTerms): FinishedReply {
  const { request, requestHash, model, promptTokens, thinking } = terms;
  if (reply.refusal !== undefined) {
    const output = Math.max(1, estimateTokens(reply.refusal, model.charactersPerToken));
    const ended = { stopReason: 'refusal', stopSequence: null, stopExplanation: reply.refusal } as const;
    return { content: [], ...ended, output, thinkingTokens: 0 };
  }
  const left = model.contextTokens - promptTokens;
  const room = Math.max(1, Math.min(request.max_tokens, left)); // tokens
  const cutReason = left < request.max_tokens ? 'model_context_window_exceeded' : 'max_tokens';
  const thought = toThought(thinking, room);
  if (thought.isCut) {
    const ended = { stopReason: cutReason, stopSequence: null, stopExplanation: null } as const;
    return { content: thought.blocks, ...ended, output: room, thinkingTokens: room };
  }
  const stopped = cutAtStopSequence(reply.content, request.stop_sequences ?? []);
  const said = cutAtRoom(stopped.blocks, room - thought.tokens, model.charactersPerToken);
  const answer = said.blocks.map((block, i): Anthropic.ContentBlock => {
    if (block.type === 'text') return { type: 'text', text: block.text, citations: null };
    const id = `toolu_sim_${requestHash.slice(0, 20)}${String(i).padStart(2, '0')}`;
    return { type: 'tool_use', id, name: block.name, input: block.input, caller: { type: 'direct' } };
  });
  const normal = answer.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn';
  const stopSequence = said.isCut ? null : stopped.sequence;
  return {
    content: [...thought.blocks, ...answer],
    stopReason: said.isCut ? cutReason : stopSequence === null ? normal : 'stop_sequence',
    stopSequence,
    stopExplanation: null,
    output: Math.max(1, thought.tokens + said.tokens),
    thinkingTokens: thought.tokens,
  };
}

/**
 * The thinking block: empty text, with a signature that comes last. Thinking that does not fit has none.
 * https://platform.claude.com/docs/en/about-claude/models/migration-guide
 */
function toThought(
  thinking: ReplyTerms['thinking'],
  room: number,
): { blocks: Anthropic.ThinkingBlock[]; tokens: number; isCut: boolean } {
  if (thinking === null) return { blocks: [], tokens: 0, isCut: false };
  const isCut = thinking.tokens >= room;
  const block: Anthropic.ThinkingBlock = {
    type: 'thinking',
    thinking: '',
    signature: isCut ? '' : thinking.signature,
  };
  return { blocks: [block], tokens: Math.min(thinking.tokens, room), isCut };
}

function cutAtStopSequence(
  blocks: readonly ReplyBlock[],
  sequences: readonly string[],
): { blocks: readonly ReplyBlock[]; sequence: string | null } {
  for (const [i, block] of blocks.entries()) {
    if (block.type !== 'text') continue;
    const found = sequences
      .map((sequence) => ({ sequence, place: block.text.indexOf(sequence) }))
      .filter(({ place }) => place >= 0)
      .toSorted((a, b) => a.place - b.place)[0];
    if (found === undefined) continue;
    const rest: ReplyBlock[] = found.place === 0 ? [] : [{ type: 'text', text: block.text.slice(0, found.place) }];
    return { blocks: [...blocks.slice(0, i), ...rest], sequence: found.sequence };
  }
  return { blocks, sequence: null };
}

/** Drops a tool call that does not fit as a whole: half a call cannot be run. */
function cutAtRoom(
  blocks: readonly ReplyBlock[],
  maxTokens: number,
  charactersPerToken: number,
): { blocks: ReplyBlock[]; tokens: number; isCut: boolean } {
  const kept: ReplyBlock[] = [];
  let room = Math.floor(maxTokens * charactersPerToken); // characters
  for (const block of blocks) {
    const size = sizeOf(block);
    if (size <= room) {
      kept.push(block);
      room -= size;
      continue;
    }
    if (block.type === 'text' && room > 0) kept.push({ type: 'text', text: block.text.slice(0, room).toWellFormed() });
    return { blocks: kept, tokens: maxTokens, isCut: true };
  }
  const size = kept.reduce((sum, block) => sum + sizeOf(block), 0);
  return { blocks: kept, tokens: estimateTokens(size, charactersPerToken), isCut: false };
}

function sizeOf(block: ReplyBlock): number {
  return block.type === 'text' ? block.text.length : block.name.length + JSON.stringify(block.input).length;
}

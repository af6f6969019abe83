import type Anthropic from '@anthropic-ai/sdk';
import type { ReplyBlock, ModelReply } from '../../model/types.ts';
import { type MessagesRequest } from '../../model/types.ts';
import { CHARACTERS_PER_TOKEN, estimateTokens } from '../../provider-host/tokens.ts';

export interface FinishedReply {
  content: Anthropic.ContentBlock[];
  stopReason: Anthropic.StopReason;
  stopSequence: string | null;
  stopExplanation: string | null;
  /** Tokens billed for `content`. */
  output: number;
}

/**
 * Turns the model's reply into content blocks and cuts it at the request's stop sequences and at `max_tokens`.
 * https://docs.claude.com/en/api/handling-stop-reasons
 */
export function finishReply(reply: ModelReply, request: MessagesRequest, requestHash: string): FinishedReply {
  if (reply.refusal !== undefined) {
    const output = Math.max(1, estimateTokens(reply.refusal));
    return { content: [], stopReason: 'refusal', stopSequence: null, stopExplanation: reply.refusal, output };
  }
  const stopped = cutAtStopSequence(reply.content, request.stop_sequences ?? []);
  const { blocks, output, cut } = cutAtMaxTokens(stopped.blocks, request.max_tokens);
  const content = blocks.map((block, i): Anthropic.ContentBlock => {
    if (block.type === 'text') return { type: 'text', text: block.text, citations: null };
    const id = `toolu_sim_${requestHash.slice(0, 20)}${String(i).padStart(2, '0')}`;
    return { type: 'tool_use', id, name: block.name, input: block.input, caller: { type: 'direct' } };
  });
  const normal = content.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn';
  const stopSequence = cut ? null : stopped.sequence;
  const stopReason = cut ? 'max_tokens' : stopSequence === null ? normal : 'stop_sequence';
  return { content, stopReason, stopSequence, stopExplanation: null, output };
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
function cutAtMaxTokens(
  blocks: readonly ReplyBlock[],
  maxTokens: number,
): { blocks: ReplyBlock[]; output: number; cut: boolean } {
  const kept: ReplyBlock[] = [];
  let room = maxTokens * CHARACTERS_PER_TOKEN; // characters
  for (const block of blocks) {
    const size = sizeOf(block);
    if (size <= room) {
      kept.push(block);
      room -= size;
      continue;
    }
    if (block.type === 'text' && room > 0) kept.push({ type: 'text', text: block.text.slice(0, room) });
    return { blocks: kept, output: maxTokens, cut: true };
  }
  const size = kept.reduce((sum, block) => sum + sizeOf(block), 0);
  return { blocks: kept, output: Math.max(1, estimateTokens(size)), cut: false };
}

function sizeOf(block: ReplyBlock): number {
  return block.type === 'text' ? block.text.length : block.name.length + JSON.stringify(block.input).length;
}

import type Anthropic from '@anthropic-ai/sdk';
import { cutText } from '../../provider-host/stream/cut-text.ts';
import type { StreamFrame } from '../../provider-host/stream/event-stream.ts';

const PIECE_CHARACTERS = 32; // of a delta, at least
const MAX_PIECES = 12; // of a block, so that a long one stays cheap

type Event = Anthropic.MessageStreamEvent;

export const PING = toEventText({ type: 'ping' });

/**
 * The events that carry a message: `message_start` without content, the blocks, `message_delta` with the reason and the whole
 * usage, `message_stop`; a ping after the first block began, as the API sends it. Thinking whose text is empty comes as its
 * signature alone. https://docs.claude.com/en/docs/build-with-claude/streaming
 */
export function toStreamFrames(message: Anthropic.Message): StreamFrame[] {
  const { content, usage } = message;
  const thinkingTokens = usage.output_tokens_details?.thinking_tokens ?? 0;
  const all = content.reduce((sum, block) => sum + toContentText(block).length, 0);
  const frames: StreamFrame[] = [];
  let characters = 0;
  let thought = 0; // tokens
  const add = (event: Event): void => {
    const share = all === 0 ? 0 : characters / all;
    const output = thought + Math.floor((usage.output_tokens - thinkingTokens) * share);
    frames.push({ text: toEventText(event), output: Math.min(usage.output_tokens, Math.max(1, output)), characters });
  };
  add({ type: 'message_start', message: toStart(message) });
  for (const [index, block] of content.entries()) {
    add({ type: 'content_block_start', index, content_block: toEmptyBlock(block) });
    if (index === 0) frames.push({ text: PING, output: Math.min(1, usage.output_tokens), characters });
    for (const piece of toPieces(block)) {
      characters += piece.length;
      add({ type: 'content_block_delta', index, delta: toDelta(block, piece) });
    }
    if (block.type === 'thinking') {
      thought = thinkingTokens;
      add({ type: 'content_block_delta', index, delta: { type: 'signature_delta', signature: block.signature } });
    }
    add({ type: 'content_block_stop', index });
  }
  const { container, stop_details, stop_reason, stop_sequence } = message;
  const delta = { container, stop_details, stop_reason, stop_sequence };
  const end: Event[] = [{ type: 'message_delta', delta, usage: toDeltaUsage(usage) }, { type: 'message_stop' }];
  for (const event of end) frames.push({ text: toEventText(event), output: usage.output_tokens, characters });
  return frames;
}

/** An event as server-sent event, named like its type. */
export function toEventText(event: { type: string }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** The usage so far: the prompt, and one token of output. */
function toStart(message: Anthropic.Message): Anthropic.Message {
  const usage = {
    ...message.usage,
    output_tokens: Math.min(1, message.usage.output_tokens),
    output_tokens_details: null,
  };
  return { ...message, content: [], stop_reason: null, stop_sequence: null, stop_details: null, usage };
}

/** Cumulative counts (SDK `resources/messages/messages.d.ts`, `MessageDeltaUsage`). */
function toDeltaUsage(usage: Anthropic.Usage): Anthropic.MessageDeltaUsage {
  const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens } = usage;
  const { output_tokens_details, server_tool_use } = usage;
  return {
    input_tokens,
    cache_creation_input_tokens,
    cache_read_input_tokens,
    output_tokens,
    output_tokens_details,
    server_tool_use,
  };
}

/** What the deltas of a block carry, as one text. Other blocks come whole with their start. */
function toContentText(block: Anthropic.ContentBlock): string {
  if (block.type === 'text') return block.text;
  if (block.type === 'thinking') return block.thinking;
  return block.type === 'tool_use' ? JSON.stringify(block.input) : '';
}

function toEmptyBlock(block: Anthropic.ContentBlock): Anthropic.ContentBlock {
  if (block.type === 'text') return { ...block, text: '' };
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' };
  return block.type === 'tool_use' ? { ...block, input: {} } : block;
}

function toDelta(block: Anthropic.ContentBlock, piece: string): Anthropic.RawContentBlockDelta {
  if (block.type === 'thinking') return { type: 'thinking_delta', thinking: piece };
  if (block.type === 'tool_use') return { type: 'input_json_delta', partial_json: piece };
  return { type: 'text_delta', text: piece };
}

/** What each delta carries. The first of a tool's input is empty, as the API sends it. */
function toPieces(block: Anthropic.ContentBlock): string[] {
  const pieces = cutText(toContentText(block), PIECE_CHARACTERS, MAX_PIECES);
  return block.type === 'tool_use' ? ['', ...pieces] : pieces;
}

import type { MessagesRequest } from '../../model/types.ts';
import { estimateTokens } from '../../provider-host/tokens.ts';

/** One block of the prompt in the order the provider hashes and counts it: tools, system, messages. */
export interface PromptSegment {
  /** Two blocks with the same identity are the same to the cache. */
  identity: string;
  /** UTF-16 code units that count as prompt. Never more than the block takes in the request body. */
  size: number;
  /** Whether a cache breakpoint follows this block. */
  breakpoint: boolean;
}

/** The prompt as a list of blocks. A top-level `cache_control` puts a breakpoint after the last one. */
export function toPromptSegments(request: MessagesRequest): PromptSegment[] {
  const segments: PromptSegment[] = [];
  const add = (place: string, block: unknown): void => {
    const { cache_control: control, ...rest } = block as { cache_control?: unknown };
    const identity = `${place} ${JSON.stringify(rest)}`;
    segments.push({ identity, size: sizeOf(rest), breakpoint: control !== undefined && control !== null });
  };
  for (const tool of request.tools ?? []) add('tool', tool);
  for (const block of toBlocks(request.system ?? [])) add('system', block);
  for (const message of request.messages) for (const block of toBlocks(message.content)) add(message.role, block);
  const last = segments.at(-1);
  if (last !== undefined && request.cache_control) last.breakpoint = true;
  return segments;
}

/** All tokens of the prompt, cached or not. */
export function sumTokens(segments: readonly PromptSegment[]): number {
  return estimateTokens(segments.reduce((sum, segment) => sum + segment.size, 0));
}

function toBlocks(content: string | readonly object[]): readonly object[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** A text block counts its text. Other blocks count their strings and inputs, without the JSON around them. */
function sizeOf(block: object): number {
  if ('text' in block && typeof block.text === 'string') return block.text.length;
  if ('tool_use_id' in block && 'content' in block) {
    const { content } = block;
    if (typeof content === 'string') return content.length;
    return Array.isArray(content) ? content.reduce((sum: number, part: object) => sum + sizeOf(part), 0) : 0;
  }
  if ('input' in block && 'name' in block) return String(block.name).length + JSON.stringify(block.input).length;
  if ('thinking' in block && typeof block.thinking === 'string') return block.thinking.length;
  return JSON.stringify(block).length;
}

import type { MessagesRequest } from '../../model/types.ts';
import { sha256 } from '../../provider-host/hash.ts';
import { estimateTokens } from '../../provider-host/tokens.ts';
import type { ServedModel } from '../api/model-table.ts';

/** One block of the prompt in the order the provider hashes and counts it: tools, system, messages. */
export interface PromptSegment {
  /** Two blocks with the same identity are the same to the cache and to a signature. */
  identity: string;
  /** UTF-16 code units that count as prompt. Never more than the block takes in the request body, unless it is thinking. */
  size: number;
  /** Whether a cache breakpoint follows this block. */
  breakpoint: boolean;
  /** Where the block lies in `messages`; null for a tool or system block. */
  place: BlockPlace | null;
  /** Of a thinking block, whose text does not come back: the signature stands for it. */
  signature?: string;
}

interface BlockPlace {
  message: number;
  block: number;
  role: 'user' | 'assistant';
}

type Tokenizer = Pick<ServedModel, 'charactersPerToken'>;

/** Fields that the client may add, drop or move without changing what the model reads. */
const UNREAD_FIELDS = new Set(['cache_control', 'citations', 'caller']);

/**
 * The prompt as a list of blocks. A top-level `cache_control` puts a breakpoint after the last one.
 * @param toThinkingTokens tokens that a thinking block stands for, by its signature
 */
export function toPromptSegments(
  request: MessagesRequest,
  { charactersPerToken }: Tokenizer,
  toThinkingTokens: (signature: string) => number = () => 0,
): PromptSegment[] {
  const segments: PromptSegment[] = [];
  const add = (name: string, block: object, place: BlockPlace | null): void => {
    const control = 'cache_control' in block ? block.cache_control : null;
    const signature = toSignature(block);
    const hidden = signature === null ? 0 : toThinkingTokens(signature) * charactersPerToken;
    segments.push({
      identity: toIdentity(name, block),
      size: sizeOf(block) + hidden,
      breakpoint: control !== undefined && control !== null,
      place,
      ...(signature === null ? {} : { signature }),
    });
  };
  for (const tool of request.tools ?? []) add('tool', tool, null);
  for (const block of toBlocks(request.system ?? [])) add('system', block, null);
  for (const [i, { role, content }] of request.messages.entries()) {
    const place = { message: i, role: role === 'assistant' ? role : 'user' } as const;
    for (const [k, block] of toBlocks(content).entries()) add(role, block, { ...place, block: k });
  }
  const last = segments.at(-1);
  if (last !== undefined && request.cache_control) last.breakpoint = true;
  return segments;
}

/** All tokens of the prompt, cached or not. */
export function sumTokens(segments: readonly PromptSegment[], { charactersPerToken }: Tokenizer): number {
  return estimateTokens(
    segments.reduce((sum, segment) => sum + segment.size, 0),
    charactersPerToken,
  );
}

/** A hash of a block without what the model does not read, so that a text is the same as its block. */
export function toIdentity(name: string, block: object): string {
  const text = `${name} ${JSON.stringify(toRead(block))}`;
  return name === 'tool' || name === 'system' ? knownHash(text) : sha256(text);
}

const KNOWN_HASHES = 1_000;
const known = new Map<string, string>();

/** Tools and system blocks come with every call: hashing them each time would be most of a call's work. */
function knownHash(text: string): string {
  const found = known.get(text);
  if (found !== undefined) return found;
  if (known.size >= KNOWN_HASHES) known.clear();
  const hash = sha256(text);
  known.set(text, hash);
  return hash;
}

function toRead(block: object): unknown[] {
  return Object.entries(block)
    .filter(([field, value]) => !UNREAD_FIELDS.has(field) && value !== undefined && value !== null)
    .map(([field, value]: [string, unknown]) =>
      field === 'content' && 'tool_use_id' in block ? [field, toResultParts(value)] : [field, value],
    )
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

function toResultParts(content: unknown): unknown {
  if (typeof content !== 'string' && !Array.isArray(content)) return content;
  return toBlocks(content as string | object[]).map(toRead);
}

function toSignature(block: object): string | null {
  const type = 'type' in block ? block.type : null;
  if (type === 'thinking' && 'signature' in block) return String(block.signature);
  return type === 'redacted_thinking' && 'data' in block ? String(block.data) : null;
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
  const { cache_control: _control, ...counted } = block as { cache_control?: unknown };
  return JSON.stringify(counted).length;
}

import type { ContentBlock, Message, ToolResultBlock } from '../../models/format.ts';
import type { ModelReply } from '../../models/model.ts';
import { boundTokens, type TextBound } from '../../pricing/token-bound.ts';
import { toPromptTokens } from '../../pricing/tokens.ts';

/**
 * Trimming starts at the first share of the limit and stops at the second. It drops that much at once because each trim
 * costs the prompt cache and all thinking.
 */
const START_SHARE = 0.9;
const GOAL_SHARE = 0.4;
const DROPPED = '[this tool result was dropped to keep the prompt small; run the tool again if you need it]';

/** A result of at most this many characters, as JSON, is kept: dropping it would save nothing. */
const SMALLEST_DROPPED = 2 * DROPPED.length;

/** Characters of a token: few where text is added, many where it is dropped, so that the estimate is never far too low. */
const CHARS_PER_FRESH_TOKEN = 2.4;
const CHARS_PER_DROPPED_TOKEN = 3.2;

/** A text of at most so many characters, as JSON, is not read for its bound: its bytes are one, and cost next to nothing. */
const SHORT = 1_000;

/** Upper bound of the tokens that the provider adds to a request with tools. Source: Anthropic, "Tool use pricing". */
const OVERHEAD_TOKENS = 1_000;

/** The size of what the provider has not counted yet. */
interface FreshSize extends TextBound {
  chars: number;
}

const NOTHING: Readonly<FreshSize> = { tokens: 0, bytes: 0, chars: 0 };

const knownSizes = new WeakMap<object, FreshSize>();

/** Measures an object once: all tasks send the same system blocks and tools. */
function sizeOnce(fixed: object): FreshSize {
  const known = knownSizes.get(fixed);
  if (known !== undefined) return known;
  const size = sizeOf(fixed);
  knownSizes.set(fixed, size);
  return size;
}

function sizeOf(content: unknown): FreshSize {
  const text = JSON.stringify(content);
  const chars = text.length;
  if (chars > SHORT) return { ...boundTokens(text), chars };
  const bytes = Buffer.byteLength(text);
  return { tokens: bytes, bytes, chars };
}

/**
 * The messages of one task, with counts of the next prompt's tokens: an estimate, by which the task loop trims, and upper
 * bounds, by which it reserves money. Both are deterministic, so that a replay rebuilds the same requests.
 *
 * A provider binds each thinking block to all that stood before it, except earlier thinking. It refuses a block after
 * another prefix, and a prompt that lacks a block but keeps an earlier one. So what changes an earlier message, or adds a
 * reply that another prefix led to, drops all thinking up to there.
 */
export class Conversation {
  readonly messages: Message[] = [];
  #known = 0; // tokens of the last prompt and its reply, as the provider counted them
  #trimmed = 0; // tokens that trimming has dropped since, a low estimate
  #fresh: FreshSize = { ...NOTHING };

  /** @param fixed what is sent besides the messages: system blocks and tool definitions; they must not change */
  constructor(fixed: object[], firstMessage: string) {
    for (const part of fixed) this.#add(sizeOnce(part));
    this.addUser([{ type: 'text', text: firstMessage }]);
  }

  addUser(content: ContentBlock[]): void {
    this.#add(sizeOf(content));
    this.messages.push({ role: 'user', content });
  }

  /** Adds to the last message, a user's. No reply follows it, so no thinking is bound to it. */
  addToLast(content: ContentBlock[]): void {
    this.#add(sizeOf(content));
    const last = this.messages.at(-1);
    if (Array.isArray(last?.content)) last.content = [...last.content, ...content];
  }

  /**
   * Adds a reply, without blank texts: a model may write one before a tool call, and no provider takes it back. The counts then
   * begin with the provider's own count.
   * @param isBound whether this conversation, to the letter, led to the reply. False: its thinking is dropped
   * @returns how many replies lost their thinking
   */
  addReply(reply: ModelReply, isBound = true): number {
    const content = reply.content.filter((block) => block.type !== 'text' || block.text.trim() !== '');
    this.messages.push({ role: 'assistant', content });
    const dropped = isBound ? 0 : this.dropThinking();
    this.#known = toPromptTokens(reply.usage) + reply.usage.output;
    this.#trimmed = 0;
    this.#fresh = { ...NOTHING };
    return dropped;
  }

  /** Drops the thinking of all replies that is bound to what stands before it. @returns how many had some */
  dropThinking(): number {
    let dropped = 0;
    for (const message of this.messages) {
      if (message.role !== 'assistant' || typeof message.content === 'string') continue;
      const kept = message.content.filter((block) => !isBoundThinking(block));
      if (kept.length === message.content.length) continue;
      message.content = kept;
      dropped += 1;
    }
    return dropped;
  }

  /** Upper bounds of the next prompt's tokens. Money is reserved by them, nothing else. */
  get bound(): { inputTokensBound: number; inputBytesBound: number } {
    const counted = this.#known + OVERHEAD_TOKENS;
    return { inputTokensBound: counted + this.#fresh.tokens, inputBytesBound: counted + this.#fresh.bytes };
  }

  get tokensEstimate(): number {
    return this.#known - this.#trimmed + Math.ceil(this.#fresh.chars / CHARS_PER_FRESH_TOKEN);
  }

  /**
   * Drops the oldest tool results until the prompt is well under the limit, and all thinking with them: the replies after a
   * dropped result are bound to it. If the latest results alone pass the limit, it drops the last of them.
   * @returns how many results were dropped
   */
  trim(limitTokens: number): number {
    const start = limitTokens * START_SHARE;
    if (this.tokensEstimate <= start) return 0;
    const older = this.#drop(toResults(this.messages.slice(0, -1)), limitTokens * GOAL_SHARE, { isCounted: true });
    if (older > 0) this.dropThinking();
    return older + this.#drop(toResults(this.messages.slice(-1)).toReversed(), start, { isCounted: false });
  }

  /**
   * @param options.isCounted whether the provider has counted the results; of others, what the estimate holds is known
   * @returns how many of the results were dropped until the prompt had so many tokens
   */
  #drop(results: readonly ToolResultBlock[], goalTokens: number, { isCounted }: { isCounted: boolean }): number {
    let dropped = 0;
    for (const result of results) {
      if (this.tokensEstimate <= goalTokens) break;
      const text = JSON.stringify(result.content ?? '');
      if (result.content === DROPPED || text.length <= SMALLEST_DROPPED) continue; // the note would be longer, and the bound too low
      if (isCounted) this.#trimmed += Math.floor(text.length / CHARS_PER_DROPPED_TOKEN);
      else this.#fresh.chars -= text.length - JSON.stringify(DROPPED).length;
      result.content = DROPPED;
      dropped += 1;
    }
    return dropped;
  }

  #add({ tokens, bytes, chars }: FreshSize): void {
    this.#fresh.tokens += tokens;
    this.#fresh.bytes += bytes;
    this.#fresh.chars += chars;
  }
}

/** Of thinking with opaque fields its adapter decides. */
function isBoundThinking(block: ContentBlock): boolean {
  return block.type === 'redacted_thinking' || (block.type === 'thinking' && block.opaque === undefined);
}

function toResults(messages: readonly Message[]): ToolResultBlock[] {
  return messages
    .flatMap(({ content }) => (typeof content === 'string' ? [] : content))
    .filter((block) => block.type === 'tool_result');
}

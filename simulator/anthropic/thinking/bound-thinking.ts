import { createHash } from 'node:crypto';
import { invalidRequest } from '../api/api-error.ts';
import { type PromptSegment, toIdentity } from '../prompt/prompt-segments.ts';
import { parseSignature } from './signature.ts';

const REMEMBERED_REPLIES = 100_000;

/** What the client sent back of one assistant message. */
interface Turn {
  /** Hash of the message without thinking. */
  reply: string;
  thinking: { place: string; isBound: boolean }[];
}

/**
 * Binds each thinking block to the prompt before it: tools, system and earlier messages, without thinking and without
 * `cache_control`. Sent back under another prefix, it is refused; so is a conversation that keeps a thinking block and drops a
 * later one. Dropping a leading run of them, or all, is allowed.
 * https://platform.claude.com/docs/en/about-claude/models/migration-guide and the SDK's `resources/beta/messages/messages.d.ts`,
 * `BetaThinkingBlockBinding`, whose default is `error`.
 */
export class BoundThinking {
  readonly #thought = new Set<string>(); // hashes of replies that came with thinking, oldest first

  /**
   * @returns the hash of the whole prompt, to which the thinking of its reply is bound
   * @throws ApiError 400 in the documented words
   */
  check(segments: readonly PromptSegment[]): string {
    const { turns, promptHash } = toTurns(segments);
    for (const { thinking } of turns) for (const { place, isBound } of thinking) if (!isBound) throw refuse(place);
    const first = turns.findIndex(({ thinking }) => thinking.length > 0);
    if (first < 0) return promptHash;
    const gap = turns.findIndex(
      ({ reply, thinking }, i) => i > first && thinking.length === 0 && this.#thought.has(reply),
    );
    if (gap < 0) return promptHash;
    const kept = turns.slice(gap).find(({ thinking }) => thinking.length > 0) ?? turns[first];
    throw refuse(kept?.thinking[0]?.place ?? '');
  }

  /** Remembers that a reply came with thinking. Replies of before a restart are not known. */
  remember(content: readonly object[]): void {
    const rest = content.filter((block) => !('type' in block && block.type === 'thinking'));
    this.#thought.add(toReplyHash(rest.map((block) => toIdentity('assistant', block))));
    const [oldest] = this.#thought;
    if (this.#thought.size > REMEMBERED_REPLIES && oldest !== undefined) this.#thought.delete(oldest);
  }
}

/** The assistant's turns, and the hash of the whole prompt. */
function toTurns(segments: readonly PromptSegment[]): { turns: Turn[]; promptHash: string } {
  const turns: Turn[] = [];
  let said: string[] = []; // of the message that is read
  let thinking: Turn['thinking'] = [];
  let message: number | null = null;
  let before = ''; // hash of everything before that message
  let hash = '';
  let isReply = false;
  const close = (): void => {
    if (isReply) turns.push({ reply: toReplyHash(said), thinking });
  };
  for (const { identity, place, signature } of segments) {
    if (place !== null && place.message !== message) {
      close();
      ({ message } = place);
      [said, thinking, before, isReply] = [[], [], hash, place.role === 'assistant'];
    }
    if (signature !== undefined && place !== null) {
      const isBound = parseSignature(signature)?.prefixHash === before;
      thinking.push({ place: `messages.${place.message}.content.${place.block}`, isBound });
      continue;
    }
    said.push(identity);
    hash = toHash(`${hash} ${place?.message ?? ''} ${identity}`);
  }
  close();
  return { turns, promptHash: hash };
}

function toReplyHash(identities: readonly string[]): string {
  return toHash(identities.join('\n'));
}

function toHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function refuse(place: string): Error {
  return invalidRequest(
    `${place}: Invalid \`signature\` in \`thinking\` block. The block is bound to a different conversation`,
  );
}

import { createHash } from 'node:crypto';
import { estimateTokens } from '../../provider-host/tokens.ts';
import type { ServedModel } from '../api/model-table.ts';
import type { PromptSegment } from './prompt-segments.ts';

// https://docs.claude.com/en/docs/build-with-claude/prompt-caching
const LIFE_MS = 5 * 60_000; // of an `ephemeral` entry since its last use
const LOOK_BACK_BLOCKS = 20; // a lookup finds earlier entries up to this many blocks before a breakpoint

/** One prompt's tokens by what the cache does with them. The three add up to the prompt. */
export interface CacheSplit {
  input: number;
  cache_write: number;
  cache_read: number;
  /** Stores the new prefixes. Called when the reply starts: other requests cannot read them before. */
  keep: () => void;
}

/** What the cache asks about a model. */
type CachedModel = Pick<ServedModel, 'id' | 'charactersPerToken' | 'cacheMinimumTokens'>;

/** Simulates prompt caching: prefixes up to a breakpoint, per model, for five minutes after each use. */
export class PrefixCache {
  readonly #expiry = new Map<string, number>(); // key → instant in ms; kept in order of expiry
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  split(model: CachedModel, segments: readonly PromptSegment[]): CacheSplit {
    const { keys, tokens } = chain(model, segments);
    const total = tokens.at(-1) ?? 0;
    const breakpoints = segments.flatMap((segment, i) =>
      segment.breakpoint && (tokens[i] ?? 0) >= model.cacheMinimumTokens ? [i] : [],
    );
    const last = breakpoints.at(-1);
    if (last === undefined) return { input: total, cache_write: 0, cache_read: 0, keep: () => {} };
    const hit = this.#longestHit(keys, breakpoints);
    const read = hit === null ? 0 : (tokens[hit] ?? 0);
    const written = Math.max(0, (tokens[last] ?? 0) - read);
    const used = [...(hit === null ? [] : [hit]), ...breakpoints];
    return {
      input: total - read - written,
      cache_write: written,
      cache_read: read,
      keep: () => this.#keep(used.map((i) => keys[i] ?? '')),
    };
  }

  #longestHit(keys: readonly string[], breakpoints: readonly number[]): number | null {
    for (const breakpoint of breakpoints.toReversed()) {
      for (let i = breakpoint; i >= Math.max(0, breakpoint - LOOK_BACK_BLOCKS); i--) {
        if ((this.#expiry.get(keys[i] ?? '') ?? 0) > this.#now()) return i;
      }
    }
    return null;
  }

  #keep(keys: readonly string[]): void {
    const now = this.#now();
    for (const [key, expiresAt] of this.#expiry) {
      if (expiresAt > now) break;
      this.#expiry.delete(key);
    }
    for (const key of keys) {
      this.#expiry.delete(key); // moves the key to the end
      this.#expiry.set(key, now + LIFE_MS);
    }
  }
}

function chain(model: CachedModel, segments: readonly PromptSegment[]): { keys: string[]; tokens: number[] } {
  const keys: string[] = [];
  const tokens: number[] = [];
  let key = model.id;
  let size = 0;
  for (const segment of segments) {
    key = createHash('sha256').update(key).update(segment.identity).digest('base64');
    size += segment.size;
    keys.push(key);
    tokens.push(estimateTokens(size, model.charactersPerToken));
  }
  return { keys, tokens };
}

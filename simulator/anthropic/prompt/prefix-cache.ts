import { createHash } from 'node:crypto';
import { type PromptSegment } from './prompt-segments.ts';
import { estimateTokens } from '../../provider-host/tokens.ts';

const LIFE_MS = 5 * 60_000; // of an `ephemeral` entry since its last use
const MINIMUM_TOKENS = 1_024; // shorter prefixes are not cached
const LOOK_BACK_BLOCKS = 20; // how far before a breakpoint an earlier entry is found

/** What the cache makes of one prompt, in tokens; the three sum up to the prompt. */
export interface CacheSplit {
  input: number;
  cache_write: number;
  cache_read: number;
  /** Keeps the new prefixes. Called when the reply starts: until then other requests cannot read them. */
  keep: () => void;
}

/** Simulates prompt caching: prefixes up to a breakpoint, per model, alive for five minutes after each use. */
export class PrefixCache {
  readonly #expiry = new Map<string, number>(); // key → instant in ms; kept in order of expiry
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  split(model: string, segments: readonly PromptSegment[]): CacheSplit {
    const { keys, tokens } = chain(model, segments);
    const total = tokens.at(-1) ?? 0;
    const breakpoints = segments.flatMap((segment, at) =>
      segment.breakpoint && (tokens[at] ?? 0) >= MINIMUM_TOKENS ? [at] : [],
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
      keep: () => this.#keep(used.map((at) => keys[at] ?? '')),
    };
  }

  #longestHit(keys: readonly string[], breakpoints: readonly number[]): number | null {
    for (const breakpoint of breakpoints.toReversed()) {
      for (let at = breakpoint; at >= Math.max(0, breakpoint - LOOK_BACK_BLOCKS); at--) {
        if ((this.#expiry.get(keys[at] ?? '') ?? 0) > this.#now()) return at;
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
      this.#expiry.delete(key); // so that it moves to the end
      this.#expiry.set(key, now + LIFE_MS);
    }
  }
}

function chain(model: string, segments: readonly PromptSegment[]): { keys: string[]; tokens: number[] } {
  const keys: string[] = [];
  const tokens: number[] = [];
  let key = model;
  let size = 0;
  for (const segment of segments) {
    key = createHash('sha256').update(key).update(segment.identity).digest('base64');
    size += segment.size;
    keys.push(key);
    tokens.push(estimateTokens(size));
  }
  return { keys, tokens };
}

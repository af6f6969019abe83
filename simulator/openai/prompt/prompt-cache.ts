import { createHash } from 'node:crypto';

// https://platform.openai.com/docs/guides/prompt-caching: prefixes of 1,024 tokens and more, in steps of 128
const LEAST_TOKENS = 1_024;
const STEP_TOKENS = 128;
const LIFE_MS = 10 * 60_000; // 5 to 10 minutes without a read
const MOST_ENTRIES = 50_000;

/** Tokens of one prompt's beginning that come from the cache, and that the cache holds after it. */
export interface CachedPrefix {
  read: number;
  written: number;
}

/** Simulates automatic caching: the longest beginning that an earlier prompt of the same key and model had, in whole steps. */
export class PromptCache {
  readonly #expiry = new Map<string, number>(); // chained hash of a prefix → instant in ms, in order of last use
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Also stores the prompt's own prefixes. */
  read(scope: string, prompt: string, charactersPerToken: number): CachedPrefix {
    const now = this.#now();
    const keys: { key: string; tokens: number }[] = [];
    let key = scope;
    for (let tokens = LEAST_TOKENS, from = 0; ; tokens += STEP_TOKENS) {
      const to = Math.ceil(tokens * charactersPerToken);
      if (to > prompt.length) break;
      key = createHash('sha256').update(key).update(prompt.slice(from, to)).digest('base64');
      keys.push({ key, tokens });
      from = to;
    }
    const missed = keys.findIndex((entry) => (this.#expiry.get(entry.key) ?? 0) <= now);
    const read = (missed < 0 ? keys.at(-1) : keys[missed - 1])?.tokens ?? 0;
    this.#keep(keys, now);
    return { read, written: (keys.at(-1)?.tokens ?? 0) - read };
  }

  #keep(keys: readonly { key: string }[], now: number): void {
    for (const { key } of keys) {
      this.#expiry.delete(key); // moves the key to the end
      this.#expiry.set(key, now + LIFE_MS);
    }
    for (const [key, expiresAt] of this.#expiry) {
      if (expiresAt > now && this.#expiry.size <= MOST_ENTRIES) break;
      this.#expiry.delete(key);
    }
  }
}

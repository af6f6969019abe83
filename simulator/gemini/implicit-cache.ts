import { createHash } from 'node:crypto';
import { CHARACTERS_PER_TOKEN } from '../provider-host/tokens.ts';

const BLOCK_TOKENS = 1_024; // shorter prefixes are not cached: https://ai.google.dev/gemini-api/docs/caching
const BLOCK_CHARACTERS = BLOCK_TOKENS * CHARACTERS_PER_TOKEN;
const LIFE_MS = 5 * 60_000;
const MAX_ENTRIES = 20_000;

/**
 * Simulates implicit caching: the provider reads the longest beginning that a prompt shares with an earlier prompt of the
 * same project and model from the cache, in whole blocks. It needs no request and costs nothing to write.
 */
export class ImplicitCache {
  readonly #expiry = new Map<string, number>(); // chained hash of a prefix → instant in ms, in order of last use
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns how much of the prompt's beginning comes from the cache, in code units. Also stores the prompt's own prefixes. */
  read(scope: string, prompt: string): number {
    const now = this.#now();
    let key = scope;
    let hits = 0;
    let missed = false;
    const keys: string[] = [];
    for (let start = 0; start + BLOCK_CHARACTERS <= prompt.length; start += BLOCK_CHARACTERS) {
      key = createHash('sha256')
        .update(key)
        .update(prompt.slice(start, start + BLOCK_CHARACTERS))
        .digest('base64');
      missed ||= (this.#expiry.get(key) ?? 0) <= now;
      if (!missed) hits += 1;
      keys.push(key);
    }
    this.#keep(keys, now);
    return hits * BLOCK_CHARACTERS;
  }

  #keep(keys: readonly string[], now: number): void {
    for (const key of keys) {
      this.#expiry.delete(key); // moves the key to the end
      this.#expiry.set(key, now + LIFE_MS);
    }
    for (const [key, expiresAt] of this.#expiry) {
      if (expiresAt > now && this.#expiry.size <= MAX_ENTRIES) break;
      this.#expiry.delete(key);
    }
  }
}

import { GoogleError } from '../api/google-error.ts';

const WINDOW_MS = 10 * 60_000;
const NANO_USD = 1_000_000_000;

/**
 * A limit of what a project on a paid tier spends in any ten minutes. The first tier's is $10:
 * https://ai.google.dev/gemini-api/docs/rate-limits (Spend-based rate limits). The documentation tells status and name of the
 * refusal and not its words; these are those of a refusal without details.
 */
export class SpendLimit {
  readonly #now: () => number;
  readonly #spent = new Map<string, { at: number; nanoUsd: number }[]>(); // project → oldest first
  #limitUsd: number | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param limitUsd null: no limit */
  set(limitUsd: number | null): void {
    this.#limitUsd = limitUsd;
  }

  /** @throws GoogleError 429 for a project that has spent its limit */
  check(project: string, tier: 'free' | 'paid'): void {
    if (this.#limitUsd === null || tier === 'free') return;
    const since = this.#now() - WINDOW_MS;
    const recent = (this.#spent.get(project) ?? []).filter(({ at }) => at > since);
    this.#spent.set(project, recent);
    const nanoUsd = recent.reduce((sum, one) => sum + one.nanoUsd, 0);
    if (nanoUsd < this.#limitUsd * NANO_USD) return;
    throw new GoogleError(429, 'Resource has been exhausted (e.g. check quota).');
  }

  add(project: string, nanoUsd: number): void {
    if (this.#limitUsd === null) return;
    const own = this.#spent.get(project) ?? [];
    own.push({ at: this.#now(), nanoUsd });
    this.#spent.set(project, own);
  }

  clear(): void {
    this.#spent.clear();
  }
}

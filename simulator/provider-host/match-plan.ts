/** When a planned fault hits, among the requests that concern it, and how often. */
export interface Planned {
  when: { nth?: number | undefined; everyNth?: number | undefined; probability?: number | undefined };
  times?: number | undefined;
}

/** Decides which fault, if any, hits a request. The first in the list that matches wins; later ones do not count it. */
export class MatchPlan<Written, Active extends Planned, Facts> {
  #faults: { fault: Active; met: number; hits: number }[] = [];
  readonly #random: () => number;
  readonly #parse: (fault: Written) => Active;
  readonly #concerns: (fault: Active, facts: Facts) => boolean;

  /** @param seed of faults with a probability */
  constructor(
    parse: (fault: Written) => Active,
    concerns: (fault: Active, facts: Facts) => boolean,
    faults: readonly Written[],
    seed: number,
  ) {
    this.#parse = parse;
    this.#concerns = concerns;
    this.#random = createRandom(seed);
    this.set(faults);
  }

  /** Replaces all faults and their counts. @throws ZodError for a fault that is none */
  set(faults: readonly Written[]): void {
    this.#faults = faults.map((fault) => ({ fault: this.#parse(fault), met: 0, hits: 0 }));
  }

  take(facts: Facts): Active | null {
    for (const entry of this.#faults) {
      const { when, times } = entry.fault;
      if (times !== undefined && entry.hits >= times) continue;
      if (!this.#concerns(entry.fault, facts)) continue;
      entry.met += 1;
      if (when.nth !== undefined && entry.met !== when.nth) continue;
      if (when.everyNth !== undefined && entry.met % when.everyNth !== 0) continue;
      if (when.probability !== undefined && this.#random() >= when.probability) continue;
      entry.hits += 1;
      return entry.fault;
    }
    return null;
  }
}

/** mulberry32: small, seeded, the same on every machine. @returns numbers in [0, 1) */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

import type { z } from 'zod';

/** A fault after parsing: when it hits, and how often. */
export interface PlannedFault {
  kind: string;
  when: {
    promptIncludes?: string | undefined;
    nth?: number | undefined;
    everyNth?: number | undefined;
    probability?: number | undefined;
  };
  times?: number | undefined;
}

/** What conditions look at. A condition named like another fact compares with it. */
export interface FaultFacts {
  model: string;
  /** Messages of the model already in the conversation. */
  turn: number;
  /** All texts of the conversation. Called only for a fault that looks at them. */
  prompt: () => string;
}

/** Decides which fault, if any, hits a request. The first fault in the list that matches is taken; later ones do not count the request. */
export class FaultPlan<Schema extends z.ZodType<PlannedFault>, Facts extends FaultFacts> {
  #faults: { fault: z.output<Schema>; met: number; hits: number }[] = [];
  readonly #schema: Schema;
  readonly #random: () => number;

  /** @param seed of faults with a probability. @throws ZodError for a fault that breaks the schema */
  constructor(schema: Schema, faults: readonly z.input<Schema>[], seed: number) {
    this.#schema = schema;
    this.#random = createRandom(seed);
    this.set(faults);
  }

  /** Replaces all faults and their counts. @throws ZodError for a fault that breaks the schema */
  set(faults: readonly z.input<Schema>[]): void {
    this.#faults = faults.map((fault) => ({ fault: this.#schema.parse(fault), met: 0, hits: 0 }));
  }

  /** The fault that hits a request with these facts, or null. Counts the request. */
  take(facts: Facts): z.output<Schema> | null {
    for (const entry of this.#faults) {
      const { when, times } = entry.fault;
      if (times !== undefined && entry.hits >= times) continue;
      if (!meets(when, facts)) continue;
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

function meets(when: PlannedFault['when'], facts: FaultFacts): boolean {
  const wanted: Record<string, unknown> = { ...when };
  const isEqual = Object.entries(facts).every(([name, fact]) => wanted[name] === undefined || wanted[name] === fact);
  return isEqual && (when.promptIncludes === undefined || facts.prompt().includes(when.promptIncludes));
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

import type { Redis } from 'ioredis';
import type { RunPlace } from '../../ledger/types.ts';
import type { Logger } from '../../process/logger.ts';

/** The first step at a place ends after this time; each further one adds 40 % to all before it. */
const FIRST_STEP_MS = 500;
const GROWTH = 1.4;

/**
 * Keeps in Redis where a run is, and for how long, so that the next run knows where this one died. Only for jobs whose worker died
 * before: each place costs a round trip.
 */
export class NotedPlace implements RunPlace {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #log: Logger;
  #name: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** @param key of the job's crashes */
  constructor({ redis, key, log }: { redis: Redis; key: string; log: Logger }) {
    this.#redis = redis;
    this.#key = key;
    this.#log = log;
  }

  async enter(name: string): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    this.#name = name;
    this.#countStep(0, FIRST_STEP_MS);
    await this.#note(FIRST_STEP_MS);
  }

  async leave(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#name === null || this.#isOver) return;
    this.#name = null;
    await this.#quietly(() => this.#redis.hdel(this.#key, 'now'));
  }

  /** The run is over: it is nowhere, or another run of the job writes where it is. */
  end(): void {
    clearTimeout(this.#timer);
    this.#isOver = true;
  }

  #countStep(fromMs: number, toMs: number): void {
    this.#timer = setTimeout(() => {
      const nextMs = Math.round(toMs * GROWTH);
      this.#countStep(toMs, nextMs);
      void this.#note(nextMs);
    }, toMs - fromMs).unref();
  }

  async #note(withinMs: number): Promise<void> {
    const name = this.#name;
    if (name !== null) await this.#quietly(() => this.#redis.hset(this.#key, 'now', `${withinMs}ms|${name}`));
  }

  /** A place that cannot be noted is no reason to end the run. */
  async #quietly(write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#log.warn({ error }, 'the place of a run was not noted');
    }
  }
}

/** Parses what a run noted last: where it is, and for how long at most. Null: it is nowhere. */
export function parsePlace(text: string): { withinMs: number; name: string } | null {
  const [, time, unit, name] = /^(\d+)(ms)?\|(.+)$/s.exec(text) ?? [];
  if (time === undefined || name === undefined) return null;
  return { withinMs: unit === undefined ? toOldStepEndMs(Number(time)) : Number(time), name };
}

/** The longest time at a place in a step of an older version, which noted steps. */
export function toOldStepEndMs(step: number): number {
  return 500 * 2 ** step;
}

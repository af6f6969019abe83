import type { ModelLimits } from '../../../src/models/model.ts';
import type { Usage } from '../../../queues/usage.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface BucketLimits {
  requests: number;
  inputTokens: number;
  outputTokens: number;
  /** A bucket holds what it gains in so long. Default: a minute. */
  burstMs?: number;
}

/** What the provider answers to one call. */
export type Served = { limits: ModelLimits | null } & (
  | { status: 200; usage: Promise<Usage> }
  | { status: 429; retryAfterMs: number }
);

type Kind = 'requests' | 'inputTokens' | 'outputTokens';
const KINDS: Kind[] = ['requests', 'inputTokens', 'outputTokens'];

/**
 * A provider with three token buckets, as Anthropic describes them: each refills evenly, every answer states them, and the
 * tokens that remain are rounded to the nearest thousand. https://platform.claude.com/docs/en/api/rate-limits
 */
export class BucketProvider {
  readonly #time: VirtualTime;
  readonly #levels: Record<Kind, number>;
  #limits: BucketLimits;
  #at: number;
  /** Hides the headers. */
  isSilent = false;
  /** When the output of a call is counted. `along`: as it comes, which Anthropic does. */
  counting: 'start' | 'along' | 'end' = 'along';
  /** States the limits of a minute as if they were not enforced over a shorter time. */
  statesWholeMinute = false;
  /** Ms until the headers of an answer, and until its end. */
  latency: () => [number, number] = () => [600, 2_000];
  served = 0;
  refused = 0;
  readonly used: Record<Kind, number> = { requests: 0, inputTokens: 0, outputTokens: 0 };

  constructor(time: VirtualTime, limits: BucketLimits) {
    this.#time = time;
    this.#limits = limits;
    this.#at = time.now;
    this.#levels = {
      requests: this.#cap('requests'),
      inputTokens: this.#cap('inputTokens'),
      outputTokens: this.#cap('outputTokens'),
    };
  }

  set limits(limits: BucketLimits) {
    this.#refill();
    this.#limits = limits;
  }

  /** The most of a kind that could be used since the beginning. */
  allowed(kind: Kind, ms: number): number {
    return this.#cap(kind) + (this.#limits[kind] * ms) / 60_000;
  }

  async call(inputTokens: number, outputTokens: number): Promise<Served> {
    const [first, whole] = this.latency();
    await this.#time.sleep(20);
    this.#refill();
    const needs = { requests: 1, inputTokens: Math.min(inputTokens, this.#cap('inputTokens')), outputTokens: 1 };
    const lacking = KINDS.find((kind) => this.#levels[kind] < needs[kind]);
    if (lacking !== undefined) {
      this.refused += 1;
      const limits = this.#state();
      await this.#time.sleep(20);
      const waitMs = ((needs[lacking] - this.#levels[lacking]) * 60_000) / this.#limits[lacking];
      return { status: 429, limits, retryAfterMs: Math.max(1_000, Math.ceil(waitMs / 1_000) * 1_000) };
    }
    const sizes = { requests: 1, inputTokens, outputTokens };
    for (const kind of KINDS) {
      if (kind !== 'outputTokens' || this.counting === 'start') this.#levels[kind] -= sizes[kind];
      this.used[kind] += sizes[kind];
    }
    this.served += 1;
    await this.#time.sleep(first);
    const usage = this.#reply(outputTokens, whole - first).then(() => {
      return { input: inputTokens, cache_write: 0, cache_read: 0, output: outputTokens };
    });
    return { status: 200, limits: this.#state(), usage };
  }

  async #reply(outputTokens: number, ms: number): Promise<void> {
    const steps = { start: 0, along: 10, end: 1 }[this.counting];
    for (let i = 0; i < steps; i += 1) {
      await this.#time.sleep(ms / steps);
      this.#refill();
      this.#levels.outputTokens -= outputTokens / steps;
    }
    if (steps === 0) await this.#time.sleep(ms);
  }

  #state(): ModelLimits | null {
    if (this.isSilent) return null;
    const of = (kind: Kind, unit: number) => {
      const level = this.statesWholeMinute ? 0.9 * this.#limits[kind] : this.#levels[kind];
      const remaining = unit === 1 ? Math.floor(level) : Math.round(level / unit) * unit;
      return { limit: this.#limits[kind], remaining: Math.max(0, remaining), resetAt: 0 };
    };
    return {
      requests: of('requests', 1),
      inputTokens: of('inputTokens', 1_000),
      outputTokens: of('outputTokens', 1_000),
    };
  }

  #refill(): void {
    const ms = this.#time.now - this.#at;
    this.#at = this.#time.now;
    for (const kind of KINDS) {
      this.#levels[kind] = Math.min(this.#cap(kind), this.#levels[kind] + (this.#limits[kind] * ms) / 60_000);
    }
  }

  #cap(kind: Kind): number {
    return (this.#limits[kind] * (this.#limits.burstMs ?? 60_000)) / 60_000;
  }
}

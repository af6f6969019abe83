import type { Usage } from '../../queues/usage.ts';
import type { ModelLimits } from '../models/model.ts';
import type { EndedCalls, PaceReport, SeenLimit } from './exchange.ts';
import type { LimitKind } from './paced-model.ts';
import type { Permit } from './types.ts';

/** What `pace.lua` has reserved for a call: input tokens, output tokens. */
export type Reserved = readonly [input: number, output: number];

/** A call that began without asking reserves nothing. */
export const NOTHING_RESERVED: Reserved = [0, 0];

type Reported = Pick<PaceReport, 'flying' | 'peak' | 'ended' | 'limits' | 'opens' | 'refused'>;

interface CallsInFlightParts {
  now(): number;
  countsCacheReads: boolean;
  onEnd(isRefused: boolean): void;
}

/** The calls of this process under way, and what happened to them since the last report. */
export class CallsInFlight {
  readonly #flying: [number, number, number] = [0, 0, 0];
  #peak = 0;
  #ended = noCalls();
  #limits: Partial<Record<LimitKind, { limit: number; remaining: number; seenAt: number; own: number }>> = {};
  #refused: [number, number] = [0, 0];
  #opens = false;
  #isDirty = false;
  readonly now: () => number;
  /** Whether what is read from the provider's cache counts into the limit of input tokens. */
  readonly countsCacheReads: boolean;
  readonly #onEnd: (isRefused: boolean) => void;

  /** @param onEnd called after each end of a call */
  constructor({ now, countsCacheReads, onEnd }: CallsInFlightParts) {
    this.now = now;
    this.countsCacheReads = countsCacheReads;
    this.#onEnd = onEnd;
  }

  get count(): number {
    return this.#flying[0];
  }

  /** Whether there is something to report. */
  get isDirty(): boolean {
    return this.#isDirty;
  }

  /** @param bound of the prompt's tokens */
  begin(begun: boolean, bound: number, reserved: Reserved): Permit {
    this.#add(1, reserved);
    if (this.count > this.#peak) this.#peak = this.count;
    return new CallInFlight(this, begun, bound, reserved);
  }

  /** Returns what happened, and begins anew. */
  take(): Reported {
    const now = this.now();
    const limits: Reported['limits'] = {};
    for (const [kind, { limit, remaining, seenAt, own }] of Object.entries(this.#limits)) {
      limits[kind as LimitKind] = [limit, remaining, now - seenAt, own] satisfies SeenLimit;
    }
    const report: Reported = {
      flying: [...this.#flying],
      peak: this.#peak,
      ended: this.#ended,
      limits,
      opens: this.#opens,
      refused: this.#refused,
    };
    this.#peak = this.count;
    this.#ended = noCalls();
    this.#limits = {};
    this.#opens = false;
    this.#refused = [0, 0];
    this.#isDirty = false;
    return report;
  }

  see({ requests, inputTokens, outputTokens, isRefusal }: ModelLimits, [input]: Reserved): void {
    if (isRefusal !== true) this.#opens = true;
    const seenAt = this.now();
    const rows = { requests: [requests, 1], input: [inputTokens, input], output: [outputTokens, 0] } as const;
    for (const [kind, [state, own]] of Object.entries(rows)) {
      if (state === undefined) continue;
      this.#limits[kind as LimitKind] = { limit: state.limit, remaining: state.remaining, seenAt, own };
      this.#isDirty = true;
    }
  }

  /** A call is over. @param count adds it to the sums */
  end(reserved: Reserved, count: (ended: EndedCalls) => void, refusedForMs: number | null = null): void {
    this.#isDirty = true;
    this.#add(-1, reserved);
    this.#ended.reserved[0] += reserved[0];
    this.#ended.reserved[1] += reserved[1];
    count(this.#ended);
    if (refusedForMs !== null) this.#refused = [this.#refused[0] + 1, Math.max(this.#refused[1], refusedForMs)];
    this.#onEnd(refusedForMs !== null);
  }

  #add(sign: 1 | -1, [input, output]: Reserved): void {
    this.#flying[0] += sign;
    this.#flying[1] += sign * input;
    this.#flying[2] += sign * output;
  }
}

/** The permit of one call. */
class CallInFlight implements Permit {
  readonly #calls: CallsInFlight;
  readonly #begun: boolean;
  readonly #bound: number;
  readonly #reserved: Reserved;
  readonly #beganAt: number;
  #isOver = false;

  constructor(calls: CallsInFlight, begun: boolean, bound: number, reserved: Reserved) {
    this.#calls = calls;
    this.#begun = begun;
    this.#bound = bound;
    this.#reserved = reserved;
    this.#beganAt = calls.now();
  }

  onLimits(limits: ModelLimits): void {
    this.#calls.see(limits, this.#reserved);
  }

  ended(usage: Usage): void {
    this.#end((sums) => this.#count(sums, usage));
  }

  refused(retryAfterMs: number): void {
    this.#end((sums) => this.#addUnsent(sums), retryAfterMs); // a limit counts no call that it refused
  }

  failed(isFree: boolean): void {
    this.#end((sums) => isFree || addUsed(sums, ...this.#reserved));
  }

  giveBack(): void {
    this.#end((sums) => this.#addUnsent(sums));
  }

  #addUnsent(sums: EndedCalls): void {
    if (this.#reserved !== NOTHING_RESERVED) sums.unsent += 1;
  }

  #end(count: (sums: EndedCalls) => void, refusedForMs: number | null = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#calls.end(this.#reserved, count, refusedForMs);
  }

  /** Writes of the cache count into the limit of input tokens, reads with some providers. */
  #count(sums: EndedCalls, { input, cache_write: written, cache_read: read, output }: Usage): void {
    const counted = input + written + (this.#calls.countsCacheReads ? read : 0);
    addUsed(sums, counted, output);
    sums.count += 1;
    sums.counted += counted;
    sums.replied += output;
    sums.ms += this.#calls.now() - this.#beganAt;
    sums.error[0] += (counted - this.#reserved[0]) ** 2;
    sums.error[1] += (output - this.#reserved[1]) ** 2;
    const share = sums.shares[this.#begun ? '1' : '2'];
    share[0] += this.#bound;
    share[1] += counted;
    share[2] += 1;
  }
}

function addUsed({ used }: EndedCalls, input: number, output: number): void {
  used[0] += input;
  used[1] += output;
}

function noCalls(): EndedCalls {
  return {
    count: 0,
    unsent: 0,
    reserved: [0, 0],
    used: [0, 0],
    error: [0, 0],
    counted: 0,
    replied: 0,
    ms: 0,
    shares: { '1': [0, 0, 0], '2': [0, 0, 0] },
  };
}

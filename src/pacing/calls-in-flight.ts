import type { Usage } from '../../queues/usage.ts';
import type { ModelLimits } from '../models/model.ts';
import type { EndedCalls, LimitKind, PaceReport, SeenLimit } from './exchange.ts';
import type { Permit } from './types.ts';

/** One call that may begin. */
export interface BegunCall {
  class: 1 | 2;
  /** Bound of the prompt's tokens. */
  bound: number;
  /** What `pace.lua` has reserved for it. */
  input: number;
  output: number;
}

type Reported = Pick<PaceReport, 'flying' | 'peak' | 'ended' | 'limits' | 'refused'>;

/** The calls of this process under way, and what happened to them since the last report. */
export class CallsInFlight {
  readonly #now: () => number;
  readonly #onEnd: (isRefused: boolean) => void;
  readonly #flying: [number, number, number] = [0, 0, 0];
  #peak = 0;
  #ended = noCalls();
  #limits: Partial<Record<LimitKind, { limit: number; remaining: number; seenAt: number; own: number }>> = {};
  #refused: [number, number] = [0, 0];
  #isDirty = false;

  /** @param onEnd called after each end of a call */
  constructor(now: () => number, onEnd: (isRefused: boolean) => void) {
    this.#now = now;
    this.#onEnd = onEnd;
  }

  get count(): number {
    return this.#flying[0];
  }

  /** Whether there is something to report. */
  get isDirty(): boolean {
    return this.#isDirty;
  }

  begin(call: BegunCall): Permit {
    const beganAt = this.#now();
    this.#add(1, call);
    this.#peak = Math.max(this.#peak, this.count);
    let isOver = false;
    const end = (act: () => void, isRefused = false): void => {
      if (isOver) return;
      isOver = true;
      this.#isDirty = true;
      this.#add(-1, call);
      this.#ended.reserved[0] += call.input;
      this.#ended.reserved[1] += call.output;
      act();
      this.#onEnd(isRefused);
    };
    return {
      onLimits: (limits) => this.#see(limits, call),
      ended: (usage) => end(() => this.#count(call, usage, this.#now() - beganAt)),
      refused: (ms) =>
        end(() => {
          this.#ended.unsent += 1; // a limit counts no call that it refused
          this.#refused = [this.#refused[0] + 1, Math.max(this.#refused[1], ms)];
        }, true),
      failed: (isFree) => end(() => (isFree ? undefined : this.#use(call.input, call.output))),
      giveBack: () => end(() => (this.#ended.unsent += 1)),
    };
  }

  /** Returns what happened, and begins anew. */
  take(): Reported {
    const now = this.#now();
    const limits: Reported['limits'] = {};
    for (const [kind, { limit, remaining, seenAt, own }] of Object.entries(this.#limits)) {
      limits[kind as LimitKind] = [limit, remaining, now - seenAt, own] satisfies SeenLimit;
    }
    const report: Reported = {
      flying: [...this.#flying],
      peak: this.#peak,
      ended: this.#ended,
      limits,
      refused: this.#refused,
    };
    this.#peak = this.count;
    this.#ended = noCalls();
    this.#limits = {};
    this.#refused = [0, 0];
    this.#isDirty = false;
    return report;
  }

  #add(sign: 1 | -1, { input, output }: BegunCall): void {
    this.#flying[0] += sign;
    this.#flying[1] += sign * input;
    this.#flying[2] += sign * output;
  }

  #see({ requests, inputTokens, outputTokens }: ModelLimits, call: BegunCall): void {
    const seenAt = this.#now();
    const rows = { requests: [requests, 1], input: [inputTokens, call.input], output: [outputTokens, 0] } as const;
    for (const [kind, [state, own]] of Object.entries(rows)) {
      if (state === undefined) continue;
      this.#limits[kind as LimitKind] = { limit: state.limit, remaining: state.remaining, seenAt, own };
      this.#isDirty = true;
    }
  }

  /** Reads of the cache do not count into the limit of input tokens, writes do. */
  #count(call: BegunCall, usage: Usage, ms: number): void {
    const counted = usage.input + usage.cache_write;
    const ended = this.#ended;
    this.#use(counted, usage.output);
    ended.count += 1;
    ended.counted += counted;
    ended.replied += usage.output;
    ended.ms += ms;
    ended.error[0] += (counted - call.input) ** 2;
    ended.error[1] += (usage.output - call.output) ** 2;
    const share = ended.shares[call.class];
    share[0] += call.bound;
    share[1] += counted;
    share[2] += 1;
  }

  #use(input: number, output: number): void {
    this.#ended.used[0] += input;
    this.#ended.used[1] += output;
  }
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

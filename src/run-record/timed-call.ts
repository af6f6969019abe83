import type { Usage } from '../../queues/usage.ts';
import { toMessage } from '../errors.ts';
import { NO_USAGE, toPromptTokens } from '../pricing/tokens.ts';
import type { RunRecord } from './run-record.ts';

/** What a call is booked at. */
interface Booked {
  nanoUsd: number;
  usage: Readonly<Usage>;
}

/** Of a call that costs nothing. */
export const NOT_BILLED: Booked = { nanoUsd: 0, usage: NO_USAGE };

/** Notes one call in the record of its job, with the time that it took. */
export class TimedCall {
  readonly #begunAt = performance.now();
  readonly #record: RunRecord | undefined;
  readonly #call: { model: string; turn: string; held: number };

  /** @param call `turn`: as the ledger names it; `held`: what is reserved for it, nano-dollars */
  constructor(
    { record, model }: { record?: RunRecord | undefined; model: string },
    { turn, held }: { turn: number | string; held: number },
  ) {
    this.#record = record;
    this.#call = { model, turn: String(turn), held };
  }

  /**
   * @param booked null: what it cost is uncertain
   * @param error what it threw; null: it was served
   * @returns how long it took, ms
   */
  note(booked: Booked | null, error: unknown): number {
    const usage = booked?.usage ?? NO_USAGE;
    const ms = Math.round(performance.now() - this.#begunAt);
    this.#record?.note({
      kind: 'call',
      ...this.#call,
      input: toPromptTokens(usage),
      cached: usage.cache_read,
      output: usage.output,
      ms,
      nanoUsd: booked?.nanoUsd ?? null,
      error: error === null ? null : toMessage(error),
    });
    return ms;
  }
}

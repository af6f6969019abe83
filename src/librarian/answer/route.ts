import {
  ShardsUsedUpError,
  TaskFailedError,
  type AccountRefusedError,
  type ProviderUnavailableError,
} from '../../errors.ts';
import type { WaitReason } from '../gate/types.ts';
import type { CallFailure } from './call-failure.ts';
import { formatCount } from '../../text/plural.ts';

/** Rules of a paper's question: a shard that fails makes it fail. Used-up minutes and days send it on, as any query. */
export interface PaperRules {
  /** Shards that a person left out. */
  exclude: readonly number[];
  /** The shard that gave no answer last time, and how often so far. Only this shard is asked again. */
  failure: ShardFailureCount | null;
  /** Stores the failure with the query, for its next run. */
  keepFailure(failure: ShardFailureCount): Promise<void>;
}

interface ShardFailureCount {
  shard: number;
  count: number;
}

export interface RouteOptions {
  /** Numbers of all shards. */
  shards: readonly number[];
  /** Tokens of the largest prompt that is tried first. */
  maxTokens: number;
  /** Null: not a paper's question. */
  paper: PaperRules | null;
  /** Writes a line into the query's log. */
  log(line: string): Promise<void>;
}

/** A query meets at most so many shards without an answer before it waits: an outage rarely concerns one key alone. */
const MAX_OUTAGES = 2;
/**
 * A paper's question asks a shard without an answer so often, with the job's usual waits, before the shard has failed.
 */
const PAPER_TRIES = 3;
/** A refused size makes the next prompt smaller at least by this factor. */
const SMALLER = 0.9;
/** The reasons for which a shard is closed to every question. */
const CLOSED: ReadonlySet<WaitReason> = new Set(['day', 'cooling', 'failing', 'refused']);
/** Shortest wait of a query that met no room. */
const SHORT_WAIT_MS = 1_000;

/** Where one query may still go: which shards, and with how large a prompt. */
export class Route {
  readonly #options: RouteOptions;
  readonly #excluded: Set<number>;
  #maxTokens: number;
  #outages: ProviderUnavailableError[] = [];
  #refusal: AccountRefusedError | null = null;

  constructor(options: RouteOptions) {
    const { shards, maxTokens, paper } = options;
    this.#options = options;
    this.#maxTokens = maxTokens;
    this.#excluded = new Set(paper?.exclude);
    const retried = paper?.failure?.shard;
    if (retried === undefined || !shards.includes(retried)) return;
    for (const shard of shards) if (shard !== retried) this.#excluded.add(shard);
  }

  /** Shards that the query may not use. */
  get excluded(): number[] {
    return [...this.#excluded];
  }

  /** Tokens of the largest prompt that may be sent. */
  get maxTokens(): number {
    return this.#maxTokens;
  }

  /** Takes a failed call into account. @throws what ends this run of the query */
  async apply(shard: number, { message, logLine, next }: CallFailure): Promise<void> {
    if (next.kind === 'exclude') this.#failPaper(shard, message);
    if (logLine !== null) await this.#options.log(logLine);
    switch (next.kind) {
      case 'next':
        return;
      case 'exclude':
        this.#excluded.add(shard);
        this.#refusal = next.refusal ?? this.#refusal;
        return;
      case 'shrink':
        return this.shrink(next.maxTokens, 'the provider refuses the size');
      case 'outage':
        return this.#onOutage(shard, next.error);
      case 'malformed':
        if (this.#options.paper === null) throw next.error;
        throw new TaskFailedError('malformed', `shard ${shard}: ${message}`);
      case 'throw':
        throw next.error;
    }
  }

  /**
   * Makes every later prompt smaller: a prompt whose size was refused is never sent again.
   * @param why for the query's log
   */
  async shrink(tokens: number, why: string): Promise<void> {
    this.#maxTokens = Math.floor(Math.min(tokens, this.#maxTokens * SMALLER));
    await this.#options.log(`${why}: at most ${formatCount(this.#maxTokens)} tokens are shown`);
  }

  /** The error of a query that no shard has room for. */
  toNoRoomError({ untilMs, reason }: { untilMs: number; reason: WaitReason }): Error {
    const { paper, shards } = this.#options;
    if (paper !== null && (reason === 'refused' || reason === 'excluded')) {
      return new TaskFailedError('shard', `no shard is left that may be asked (${reason})`);
    }
    const outage = this.#outages.at(-1);
    if (outage !== undefined) return outage;
    if (this.#refusal !== null && this.#excluded.size === shards.length) return this.#refusal;
    const message = `no shard has room until ${new Date(untilMs).toISOString()} (${reason})`;
    const isForAnyShard = this.#excluded.size === 0 && CLOSED.has(reason);
    return new ShardsUsedUpError(Math.max(SHORT_WAIT_MS, untilMs - Date.now()), message, isForAnyShard);
  }

  async #onOutage(shard: number, outage: ProviderUnavailableError): Promise<void> {
    const { paper, shards } = this.#options;
    if (paper !== null) {
      // The job waits; its next run asks the same shard and no other.
      const count = (paper.failure?.shard === shard ? paper.failure.count : 0) + 1;
      if (count >= PAPER_TRIES) this.#failPaper(shard, `${outage.message} (asked ${count} times)`);
      await paper.keepFailure({ shard, count });
      throw outage;
    }
    this.#excluded.add(shard);
    this.#outages.push(outage);
    if (this.#outages.length >= Math.min(MAX_OUTAGES, shards.length)) throw outage;
  }

  /** Fails a paper's question: only a person leaves a shard out of a paper. */
  #failPaper(shard: number, message: string): void {
    if (this.#options.paper !== null) throw new TaskFailedError('shard', `shard ${shard} failed: ${message}`);
  }
}

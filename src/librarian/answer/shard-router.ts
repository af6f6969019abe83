import {
  AccountRefusedError,
  ProviderUnavailableError,
  QuotaError,
  RateLimitedError,
  ShardsUsedUpError,
  ShutdownError,
  TaskFailedError,
  toMessage,
} from '../../errors.ts';
import type { PaidCalls, PaidReply, Payer, Reservation } from '../../ledger/paid-calls.ts';
import { toPromptTokens } from '../../pricing/tokens.ts';
import type { ArchiveModel, ArchiveReply, ArchiveRequest } from '../../models/archive-model.ts';
import type { ShownContext } from '../archive/context.ts';
import type { Permit, RateGate, WaitReason } from '../gate/types.ts';
import type { TokenEstimate } from '../archive/token-estimate.ts';

/** A query is one turn, however many calls it takes to find a shard that serves it. */
export const QUERY_TURN = 0;

/** A model that can be asked, and who pays for it. */
export interface AskableModel {
  model: ArchiveModel;
  payer: Payer;
}

export interface ShardParts {
  gate: RateGate;
  /** By shard number. */
  shards: ReadonlyMap<number, AskableModel>;
  /** Another vendor's; null: none is configured. */
  fallback: AskableModel | null;
  estimate: TokenEstimate;
  /** Largest prompt that is tried first, tokens. */
  maxTokens: number;
}

export interface ComposedPrompt {
  request: Omit<ArchiveRequest, 'model'>;
  /** UTF-8 bytes of system text and prompt. */
  bytes: number;
  shown: ShownContext;
}

/** One query on its way. */
export interface Asking {
  calls: PaidCalls<ArchiveReply>;
  signal: AbortSignal;
  isDraining(): boolean;
  allowFallback: boolean;
  /** Set for a paper's question: a shard that fails ends it. Undefined: the query goes on to the next shard. */
  paper?: PaperRules;
  /** Makes the prompt for at most so many tokens: called again after every wait, and when less must be shown. */
  compose(maxTokens: number): Promise<ComposedPrompt>;
  /** Leaves a line in the query's log: every detour is one. */
  note(line: string): Promise<void>;
}

/** How a paper's question is asked. A used-up minute or day is routing there too. */
export interface PaperRules {
  /** Shards a person goes on without. */
  exclude: readonly number[];
  /** The shard that did not answer last time, and how often so far: it is the one asked again. */
  failure: { shard: number; count: number } | null;
  /** Kept with the query, for its next start. */
  keepFailure(failure: { shard: number; count: number }): Promise<void>;
}

/** A served call. Its reply is paid for and not yet stored. */
export interface Served {
  paid: PaidReply<ArchiveReply>;
  payer: Payer;
  /** Null: the fallback served it. */
  shard: number | null;
  composed: ComposedPrompt;
}

/** Shards on which one query may meet an outage before it waits: an outage is rarely one key's alone. */
const MAX_OUTAGES = 2;
/** A shard that does not answer a paper's question is asked so often, with the job's usual waits in between, before it counts as failed. */
const PAPER_TRIES = 3;
/** Calls for one query over all shards: a bound, whatever providers may say. */
const MAX_CALLS = 25;
/** A limit is a round number, and our count an estimate. */
const BELOW_LIMIT = 0.9;
/** Where a provider refuses the size and names none: so much of it is tried next. */
const SMALLER = 0.5;
/** Before a query that met no room comes back, ms. */
const SHORT_WAIT_MS = 1_000;

/** No room at all for now: what is not only a full minute is worth the fallback's money. */
const USED_UP: ReadonlySet<WaitReason> = new Set(['day', 'cooling', 'failing', 'refused', 'excluded']);

/**
 * Asks one shard after the other until one serves the query. A used-up minute or day sends it on to the next; a refused
 * size shrinks the prompt; a refused key or an outage leaves that shard out, or ends a paper's question.
 * @throws ShardsUsedUpError when it must wait; ProviderUnavailableError; AccountRefusedError when every key is refused;
 *   TaskFailedError for a reply that cannot be read, `shard` where one fails under a paper's question; and what `PaidCalls.reserve` throws
 */
export async function askShards(asking: Asking, parts: ShardParts): Promise<Served> {
  const route = new Route(asking, parts);
  for (let calls = 0; calls < MAX_CALLS; calls += 1) {
    const served = await route.next();
    if (served !== null) return served;
  }
  throw new ShardsUsedUpError(60_000, `${MAX_CALLS} calls found no shard that serves this query`);
}

class Route {
  readonly #asking: Asking;
  readonly #parts: ShardParts;
  readonly #excluded = new Set<number>();
  #maxTokens: number;
  #outage: ProviderUnavailableError | null = null;
  #outageCount = 0;
  #refusal: AccountRefusedError | null = null;

  constructor(asking: Asking, parts: ShardParts) {
    this.#asking = asking;
    this.#parts = parts;
    this.#maxTokens = parts.maxTokens;
    const { paper } = asking;
    if (paper === undefined) return;
    for (const shard of paper.exclude) this.#excluded.add(shard);
    if (paper.failure === null || !parts.shards.has(paper.failure.shard)) return;
    for (const shard of parts.shards.keys()) if (shard !== paper.failure.shard) this.#excluded.add(shard);
  }

  /** One step. @returns null when another one is worth it */
  async next(): Promise<Served | null> {
    const { signal, isDraining, compose } = this.#asking;
    signal.throwIfAborted();
    if (isDraining()) throw new ShutdownError('this process goes away');
    const composed = await compose(this.#maxTokens);
    const tokens = this.#parts.estimate.toTokens(composed.bytes);
    const permit = await this.#parts.gate.acquire({ tokens, exclude: [...this.#excluded] }, { signal });
    if (permit.kind === 'too-large') {
      await this.#shrink(Math.min(permit.limitTokens, tokens) * BELOW_LIMIT, 'no shard takes more in a minute');
      return null;
    }
    if (permit.kind === 'wait') return this.#elsewhere(permit, composed);
    return this.#call(permit, composed, tokens);
  }

  async #call(permit: Permit, composed: ComposedPrompt, tokens: number): Promise<Served | null> {
    const asked = this.#parts.shards.get(permit.shard);
    if (asked === undefined) throw new Error(`the gate gave leave for shard ${permit.shard}, which is not configured`);
    const { payer, model } = asked;
    let reservation: Reservation<ArchiveReply>;
    try {
      reservation = await this.#asking.calls.reserve({ turn: QUERY_TURN, payer, bound: toBound(composed) });
    } catch (error) {
      await permit.release();
      throw error;
    }
    if (!permit.isFresh()) {
      await Promise.all([reservation.release(), permit.release()]);
      return null;
    }
    let paid: PaidReply<ArchiveReply>;
    try {
      const request = { ...composed.request, model: payer.entry.id };
      paid = await reservation.send(() => model.ask(request, { signal: this.#asking.signal }));
    } catch (error) {
      await this.#afterError(error, permit, tokens);
      return null;
    }
    const counted = toPromptTokens(paid.reply.usage);
    this.#parts.estimate.learn(composed.bytes, counted);
    // The reply is paid for: nothing the gate says may lose it.
    await Promise.allSettled([permit.settle(counted), this.#parts.gate.reportSuccess(permit.shard)]);
    return { paid, payer, shard: permit.shard, composed };
  }

  /** Says to the gate what happened, and either goes on elsewhere or throws. */
  async #afterError(thrown: unknown, permit: Permit, tokens: number): Promise<void> {
    const { gate, shards } = this.#parts;
    const { shard, day } = permit;
    const message = toMessage(thrown);
    if (thrown instanceof RateLimitedError) {
      const quota = thrown instanceof QuotaError ? thrown.quota : toMinute(thrown);
      await Promise.all([permit.settle(0), gate.report429(shard, { ...quota, day })]);
      if (quota.statedLimit === 0) this.#endPaper(shard, message);
      await this.#asking.note(`shard ${shard}: ${message}; on to the next`);
      if (quota.statedLimit === 0) this.#excluded.add(shard);
      else if (quota.scope === 'tokens')
        await this.#shrink(toSize(quota.statedLimit, tokens), 'the provider refuses the size');
      return;
    }
    if (thrown instanceof AccountRefusedError) {
      await Promise.all([permit.settle(0), gate.reportFailure(shard, { kind: 'refused', message })]);
      this.#endPaper(shard, message);
      await this.#asking.note(`shard ${shard} is refused: ${message}`);
      this.#excluded.add(shard);
      this.#refusal = thrown;
      return;
    }
    await permit.settle(tokens); // it may have been served
    if (thrown instanceof TaskFailedError && thrown.reason === 'malformed') {
      await gate.reportFailure(shard, { kind: 'malformed', message });
      if (this.#asking.paper !== undefined) throw new TaskFailedError('malformed', `shard ${shard}: ${message}`);
    }
    if (!(thrown instanceof ProviderUnavailableError)) throw thrown;
    await gate.reportFailure(shard, { kind: 'unavailable', message });
    await this.#asking.note(`shard ${shard} does not answer: ${message}`);
    if (this.#asking.paper !== undefined) return this.#tryAgain(this.#asking.paper, shard, thrown);
    this.#excluded.add(shard);
    this.#outage = thrown;
    this.#outageCount += 1;
    if (this.#outageCount >= Math.min(MAX_OUTAGES, shards.size)) throw thrown;
  }

  /** A paper does without no shard unless its person says so. @throws TaskFailedError for a paper's question */
  #endPaper(shard: number, message: string): void {
    if (this.#asking.paper === undefined) return;
    throw new TaskFailedError('shard', `shard ${shard} failed: ${message}`);
  }

  /** The same shard again after the job's wait, and no other meanwhile. */
  async #tryAgain(paper: PaperRules, shard: number, outage: ProviderUnavailableError): Promise<never> {
    const count = (paper.failure?.shard === shard ? paper.failure.count : 0) + 1;
    if (count >= PAPER_TRIES) this.#endPaper(shard, `${outage.message} (asked ${count} times)`);
    await paper.keepFailure({ shard, count });
    throw outage;
  }

  /** The same prompt is never sent again after a provider refused its size. */
  async #shrink(tokens: number, why: string): Promise<void> {
    this.#maxTokens = Math.floor(Math.min(tokens, this.#maxTokens * BELOW_LIMIT));
    await this.#asking.note(`${why}: at most ${this.#maxTokens.toLocaleString('en-US')} tokens are shown`);
  }

  async #elsewhere(wait: { untilMs: number; reason: WaitReason }, composed: ComposedPrompt): Promise<Served> {
    const { fallback, shards } = this.#parts;
    if (fallback !== null && this.#asking.allowFallback && USED_UP.has(wait.reason)) {
      return this.#fallBack(fallback, composed);
    }
    if (this.#asking.paper !== undefined && (wait.reason === 'refused' || wait.reason === 'excluded')) {
      throw new TaskFailedError('shard', `no shard is left that may be asked (${wait.reason})`);
    }
    if (this.#outage !== null) throw this.#outage;
    if (this.#refusal !== null && this.#excluded.size === shards.size) throw this.#refusal;
    throw new ShardsUsedUpError(
      Math.max(SHORT_WAIT_MS, wait.untilMs - Date.now()),
      `no shard has room until ${new Date(wait.untilMs).toISOString()} (${wait.reason})`,
    );
  }

  async #fallBack({ model, payer }: AskableModel, composed: ComposedPrompt): Promise<Served> {
    const { calls, signal, note } = this.#asking;
    await note(`no shard can be used: ${payer.entry.id} is asked`);
    const reservation = await calls.reserve({ turn: QUERY_TURN, payer, bound: toBound(composed) });
    try {
      const request = { ...composed.request, model: payer.entry.id };
      const paid = await reservation.send(() => model.ask(request, { signal }));
      return { paid, payer, shard: null, composed };
    } catch (error) {
      if (error instanceof RateLimitedError) throw new ShardsUsedUpError(error.retryAfterMs, error.message);
      throw error;
    }
  }
}

function toBound({ bytes, request }: ComposedPrompt): { inputTokensBound: number; maxTokens: number } {
  return { inputTokensBound: bytes, maxTokens: request.maxTokens };
}

function toMinute(error: RateLimitedError) {
  return { scope: 'minute' as const, retryAfterMs: error.retryAfterMs, statedLimit: null };
}

/** @param tokens of the prompt that was refused */
function toSize(statedLimit: number | null, tokens: number): number {
  if (statedLimit === null) return tokens * SMALLER;
  return Math.min(statedLimit, tokens) * BELOW_LIMIT;
}

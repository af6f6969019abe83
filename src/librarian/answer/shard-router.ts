import {
  PromptTooLongError,
  RateLimitedError,
  ShardsUsedUpError,
  ShutdownError,
  TaskFailedError,
} from '../../errors.ts';
import type { PaidCalls, PaidReply, Reservation } from '../../ledger/paid-calls.ts';
import type { ArchiveReply } from '../../models/archive-model.ts';
import { toPromptTokens } from '../../pricing/tokens.ts';
import type { TokenEstimate } from '../archive/token-estimate.ts';
import type { Permit, RateGate, WaitReason } from '../gate/types.ts';
import { BELOW_LIMIT, classifyFailure, type CallFailure } from './call-failure.ts';
import { PromptSize } from './prompt-size.ts';
import { toReplyRoom } from './reply-room.ts';
import { Route, type PaperRules } from './route.ts';
import { QUERY_TURN, type ArchivePrompt, type AskableModel, type ServedCall } from './types.ts';

/** What the calls of all queries share. */
export interface RoutingParts {
  gate: RateGate;
  /** By shard number. */
  shards: ReadonlyMap<number, AskableModel>;
  /** A model of another vendor; null: none is configured. */
  fallback: AskableModel | null;
  estimate: TokenEstimate;
  /** Tokens of the largest prompt that is tried first. */
  maxTokens: number;
}

/** One query, as it is routed. */
export interface RoutedQuery {
  calls: PaidCalls<ArchiveReply>;
  signal: AbortSignal;
  isDraining(): boolean;
  allowFallback: boolean;
  /** Null: not a paper's question. */
  paper: PaperRules | null;
  /** Writes a line into the query's log. */
  log(line: string): Promise<void>;
}

/** Most steps of one query over all shards, whatever the providers answer. */
const MAX_STEPS = 25;
/** Wait for the fallback after a rate limit that names none. */
const UNNAMED_WAIT_MS = 15_000;
/** Wait of a query after that. */
const AFTER_MAX_STEPS_MS = 60_000;

/** Longest answer, tokens, without thinking. */
const ANSWER_TOKENS = 8_192;

/** The reasons that justify the fallback's cost: every reason but a full window. */
const USED_UP: ReadonlySet<WaitReason> = new Set(['day', 'cooling', 'failing', 'refused', 'excluded']);

/**
 * Sends one query to one shard after the other until one serves it: `begin`, then `ask`, again while `ask` returns
 * null. A used-up minute or day sends the query to the next shard; a refused size makes the next prompt smaller; a
 * refused key or an outage leaves the shard out, or ends a paper's question.
 */
export class ShardRouter {
  readonly #parts: RoutingParts;
  readonly #query: RoutedQuery;
  readonly #route: Route;
  readonly #size: PromptSize;
  #stepCount = 0;

  constructor(parts: RoutingParts, query: RoutedQuery) {
    const { shards, maxTokens, estimate } = parts;
    const { paper, log } = query;
    this.#parts = parts;
    this.#query = query;
    this.#route = new Route({ shards: [...shards.keys()], maxTokens, paper, log });
    this.#size = new PromptSize({ route: this.#route, shards, estimate, query });
  }

  /**
   * Begins a step.
   * @returns the most tokens that its prompt may have
   * @throws the signal's reason; ShutdownError; ShardsUsedUpError after too many steps
   */
  begin(): number {
    if (this.#stepCount >= MAX_STEPS) {
      throw new ShardsUsedUpError(AFTER_MAX_STEPS_MS, `${MAX_STEPS} calls found no shard that serves this query`);
    }
    this.#stepCount += 1;
    this.#query.signal.throwIfAborted();
    if (this.#query.isDraining()) throw new ShutdownError('this process goes away');
    return this.#route.maxTokens;
  }

  /**
   * Sends the prompt to a shard that has room, or to the fallback.
   * @returns null: no shard served it, and another step may
   * @throws ShardsUsedUpError when the query must wait; ProviderUnavailableError; AccountRefusedError when every key
   *   is refused; TaskFailedError for a reply that cannot be read, and `shard` where a paper's shard fails; what
   *   `PaidCalls` throws
   */
  async ask(prompt: ArchivePrompt): Promise<ServedCall | null> {
    const { gate, fallback } = this.#parts;
    const { signal, allowFallback } = this.#query;
    const tokens = await this.#size.measure(prompt);
    if (tokens === null) return null;
    const permit = await gate.acquire({ tokens, exclude: this.#route.excluded }, { signal });
    switch (permit.kind) {
      case 'permit':
        return this.#askShard(permit, prompt, tokens);
      case 'too-large':
        await this.#route.shrink(Math.min(permit.limitTokens, tokens) * BELOW_LIMIT, 'no shard takes more in a minute');
        return null;
      case 'wait':
        if (fallback === null || !allowFallback || !USED_UP.has(permit.reason)) throw this.#route.toNoRoomError(permit);
        return this.#askFallback(fallback, prompt, tokens);
    }
  }

  async #askShard(permit: Permit, prompt: ArchivePrompt, tokens: number): Promise<ServedCall | null> {
    const { gate, shards, estimate } = this.#parts;
    const { shard } = permit;
    const asked = shards.get(shard);
    if (asked === undefined) throw new Error(`the gate gave leave for shard ${shard}, which is not configured`);
    let reservation: Reservation<ArchiveReply>;
    try {
      reservation = await this.#reserve(asked, prompt);
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
      paid = await this.#send(reservation, asked, prompt);
    } catch (error) {
      if (error instanceof PromptTooLongError) estimate.replace(prompt.bytes, error.tokens);
      const failure = classifyFailure(error, { shard, tokens });
      await this.#report(failure, permit);
      await this.#route.apply(shard, failure);
      return null;
    }
    const counted = toPromptTokens(paid.reply.usage);
    estimate.learn(prompt.bytes, counted);
    // The reply is paid for: an error of the gate must not lose it.
    await Promise.allSettled([permit.settle(counted), gate.reportSuccess(shard)]);
    return { paid, payer: asked.payer, shard, prompt };
  }

  /** Reports to the gate how a call failed. */
  async #report({ countedTokens, report }: CallFailure, permit: Permit): Promise<void> {
    const { gate } = this.#parts;
    const { shard, day } = permit;
    await Promise.all([
      permit.settle(countedTokens),
      report?.kind === 'quota' ? gate.report429(shard, { ...report.quota, day }) : null,
      report?.kind === 'failure' ? gate.reportFailure(shard, report.failure) : null,
    ]);
  }

  async #askFallback(fallback: AskableModel, prompt: ArchivePrompt, tokens: number): Promise<ServedCall | null> {
    await this.#query.log(`no shard can be used: ${fallback.payer.entry.id} is asked`);
    const reservation = await this.#reserve(fallback, prompt);
    try {
      const paid = await this.#send(reservation, fallback, prompt);
      return { paid, payer: fallback.payer, shard: null, prompt };
    } catch (error) {
      if (error instanceof RateLimitedError) {
        throw new ShardsUsedUpError(error.retryAfterMs || UNNAMED_WAIT_MS, error.message);
      }
      if (!(error instanceof TaskFailedError) || error.reason !== 'too-long') throw error;
      await this.#route.apply(0, classifyFailure(error, { shard: 0, tokens })); // makes the next prompt smaller
      return null;
    }
  }

  #reserve({ payer }: AskableModel, { bytes }: ArchivePrompt): Promise<Reservation<ArchiveReply>> {
    const bound = { inputTokensBound: bytes, maxTokens: toReplyRoom(payer.entry, ANSWER_TOKENS) };
    return this.#query.calls.reserve({ turn: QUERY_TURN, payer, bound });
  }

  #send(
    reservation: Reservation<ArchiveReply>,
    { model, payer }: AskableModel,
    { request }: ArchivePrompt,
  ): Promise<PaidReply<ArchiveReply>> {
    const { signal } = this.#query;
    const maxTokens = toReplyRoom(payer.entry, ANSWER_TOKENS);
    return reservation.send(() => model.ask({ ...request, model: payer.entry.id, maxTokens }, { signal }));
  }
}

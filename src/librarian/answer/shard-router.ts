import {
  AccountRefusedError,
  ModelCoolingError,
  PromptTooLongError,
  ProviderUnavailableError,
  RateLimitedError,
  ShardsUsedUpError,
  ShutdownError,
  TaskFailedError,
  toMessage,
} from '../../errors.ts';
import { callWithPermit, toAsk } from '../../ledger/calls/paced-call.ts';
import type { Send } from '../../ledger/calls/long-call.ts';
import { toReservedBound, type CallSize } from '../../ledger/calls/call-bound.ts';
import type { PaidCalls } from '../../ledger/calls/paid-calls.ts';
import type { PaidReply, Reservation } from '../../ledger/calls/reserved-call.ts';
import type { ArchiveReply } from '../../models/archive-model.ts';
import type { Pacer, Permit as PacePermit, RunPace } from '../../pacing/types.ts';
import type { CatalogEntry } from '../../pricing/catalog.ts';
import { boundTokens, type TextBound } from '../../pricing/token-bound.ts';
import { toPromptTokens } from '../../pricing/tokens.ts';
import type { TokenEstimate } from '../archive/token-estimate.ts';
import type { Permit, RateGate, WaitReason } from '../gate/types.ts';
import { BELOW_LIMIT, classifyFailure, type CallFailure } from './call-failure.ts';
import { PromptSize } from './prompt-size.ts';
import { toReplyRoom } from './reply-room.ts';
import { Route, type PaperRules } from './route.ts';
import {
  ANSWER_TOKENS,
  QUERY_TURN,
  type ArchivePrompt,
  type AskableModel,
  type ChainMember,
  type ChainModel,
  type ServedCall,
} from './types.ts';
import { formatCount } from '../../text/plural.ts';

/** What the calls of all queries share. */
export interface RoutingParts {
  gate: RateGate;
  /** By shard number. */
  shards: ReadonlyMap<number, AskableModel>;
  /** Who answers, in order. */
  chain: readonly ChainMember[];
  /** Keeps the limits of the models besides the shards. Absent: nothing limits them. */
  pacer?: Pacer;
  /** Until when a model that did not answer is not asked first, ms of this machine, by its id: as this process found out. */
  resting: Map<string, number>;
  estimate: TokenEstimate;
  /** Tokens of the largest prompt that is tried first on a shard. */
  maxTokens: number;
}

/** One query, as it is routed. */
export interface RoutedQuery {
  calls: PaidCalls<ArchiveReply>;
  pace: RunPace | undefined;
  signal: AbortSignal;
  isDraining(): boolean;
  /** False: only the first of the chain is asked. A paper's question is for the shards alone. */
  allowFallback: boolean;
  /** Null: not a paper's question. */
  paper: PaperRules | null;
  /** Writes a line into the query's log. */
  log(line: string): Promise<void>;
}

/** Most steps of one query over all shards, whatever the providers answer. */
const MAX_STEPS = 25;
/** Wait for the last model after a rate limit that names none. */
const UNNAMED_WAIT_MS = 15_000;
/** Wait of a query after that. */
const AFTER_MAX_STEPS_MS = 60_000;
/** A model that refused its key, or did not answer, is not asked first for so long. */
const REST_MS = 60_000;
/** A refused size makes the next prompt smaller at least by this factor. */
const SMALLER = 0.9;

/** The reasons that justify the next one's cost: every reason but a full window. */
const USED_UP: ReadonlySet<WaitReason> = new Set(['day', 'cooling', 'failing', 'refused', 'excluded']);

/**
 * Sends one query to one shard after the other until one serves it: `begin`, then `ask`, again while `ask` returns
 * null. Where the shards, or a model before or behind them in the chain, cannot be asked, the next one of the chain is. A used-up minute or day sends the query to the next shard; a refused size makes the next prompt smaller; a
 * refused key or an outage leaves the shard out, or ends a paper's question.
 */
export class ShardRouter {
  readonly #parts: RoutingParts;
  readonly #query: RoutedQuery;
  readonly #route: Route;
  readonly #size: PromptSize;
  readonly #members: ChainMember[]; // the first one is asked
  readonly #first: ChainMember | undefined;
  #room = Infinity; // tokens of the largest prompt that the model is asked, once it has refused one
  #stepCount = 0;

  constructor(parts: RoutingParts, query: RoutedQuery) {
    const { shards, maxTokens, estimate, chain, resting } = parts;
    const { paper, log, allowFallback } = query;
    this.#parts = parts;
    this.#query = query;
    this.#route = new Route({ shards: [...shards.keys()], maxTokens, paper, log });
    this.#size = new PromptSize({ route: this.#route, shards, estimate, query });
    const isReady = (member: ChainMember): boolean =>
      member === 'shards' || (resting.get(member.payer.entry.id) ?? 0) <= performance.now();
    const allowed = paper !== null ? (['shards'] as const) : allowFallback ? chain : chain.slice(0, 1);
    const ready = allowed.filter(isReady);
    this.#members = ready.length > 0 ? ready : [...allowed];
    this.#first = chain[0];
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
    const [member] = this.#members;
    return member === undefined || member === 'shards' ? this.#route.maxTokens : Math.min(this.#room, member.maxTokens);
  }

  /**
   * Sends the prompt to a shard that has room, or to the model whose turn it is.
   * @returns null: nobody served it, and another step may
   * @throws ShardsUsedUpError when the query must wait; ProviderUnavailableError; AccountRefusedError when every key
   *   is refused; TaskFailedError for a reply that cannot be read, and `shard` where a paper's shard fails; what
   *   `PaidCalls` throws
   */
  async ask(prompt: ArchivePrompt): Promise<ServedCall | null> {
    const { gate } = this.#parts;
    const { signal } = this.#query;
    const [member] = this.#members;
    if (member !== undefined && member !== 'shards') return this.#askModel(member, prompt);
    const tokens = await this.#size.measure(prompt);
    if (tokens === null) return null;
    const size = await this.#toCallSize(prompt); // a count takes its time: before the permit
    const permit = await gate.acquire({ tokens, exclude: this.#route.excluded }, { signal });
    switch (permit.kind) {
      case 'permit':
        return this.#askShard(permit, prompt, { tokens, size });
      case 'too-large':
        await this.#route.shrink(Math.min(permit.limitTokens, tokens) * BELOW_LIMIT, 'no shard takes more in a minute');
        return null;
      case 'wait':
        if (!USED_UP.has(permit.reason) || !(await this.#moveOn('no shard can be used'))) {
          throw this.#route.toNoRoomError(permit);
        }
        return null;
    }
  }

  async #askShard(
    permit: Permit,
    prompt: ArchivePrompt,
    { tokens, size }: { tokens: number; size: CallSize },
  ): Promise<ServedCall | null> {
    const { gate, shards, estimate } = this.#parts;
    const { shard } = permit;
    const asked = shards.get(shard);
    if (asked === undefined) throw new Error(`the gate gave leave for shard ${shard}, which is not configured`);
    let reservation: Reservation<ArchiveReply>;
    try {
      reservation = await this.#reserve(asked, size);
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
      paid = await permit.send(() => this.#send(reservation, asked, prompt));
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
    return { paid, payer: asked.payer, shard, isFallback: false, prompt };
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

  /** Asks a model besides the shards, within the limits of its key and row. */
  async #askModel(asked: ChainModel, prompt: ArchivePrompt): Promise<ServedCall | null> {
    const { entry } = asked.payer;
    try {
      const paid = await this.#sendPaced(asked, prompt);
      return { paid, payer: asked.payer, shard: null, isFallback: asked !== this.#first, prompt };
    } catch (error) {
      if (error instanceof TaskFailedError && error.reason === 'too-long') {
        await this.#shrinkFor(asked, error, prompt);
        return null;
      }
      if (!isElsewhere(error)) throw error;
      const isDown = error instanceof AccountRefusedError || error instanceof ProviderUnavailableError;
      if (isDown) this.#parts.resting.set(entry.id, performance.now() + REST_MS);
      if (await this.#moveOn(`${entry.id}: ${toMessage(error)}`)) return null;
      if (!(error instanceof RateLimitedError)) throw error;
      throw new ShardsUsedUpError(error.retryAfterMs || UNNAMED_WAIT_MS, error.message);
    }
  }

  async #sendPaced(asked: ChainModel, prompt: ArchivePrompt): Promise<PaidReply<ArchiveReply>> {
    const { pace, signal, isDraining } = this.#query;
    const { entry } = asked.payer;
    const countInput = (counting: AbortSignal): Promise<number | null> =>
      asked.model.countTokens({ ...prompt.request, model: entry.id }, { signal: counting });
    const size = { ...toCallSize(entry, toBounds(prompt)), countInput };
    const ask = toAsk(QUERY_TURN, entry.id, size);
    const permit = pace?.admitNow(ask) ?? (await pace?.admit(ask, { signal, isDraining })) ?? null;
    if (permit === null) return (await this.#reserve(asked, size)).send(this.#toSend(asked, prompt));
    const made = await callWithPermit(permit, this.#toSend(asked, prompt, permit), async (noted) =>
      (await this.#reserve(asked, size)).send(noted),
    );
    if (made.made === null) throw made.refusal;
    return made.made;
  }

  async #shrinkFor(asked: ChainModel, error: TaskFailedError, prompt: ArchivePrompt): Promise<void> {
    const tokens = this.#parts.estimate.toTokens(prompt.bytes);
    const { next } = classifyFailure(error, { shard: 0, tokens });
    const room = Math.min(this.#room, asked.maxTokens) * SMALLER;
    this.#room = Math.floor(next.kind === 'shrink' ? Math.min(room, next.maxTokens) : room);
    await this.#query.log(`${error.message}: at most ${formatCount(this.#room)} tokens are shown`);
  }

  /** The next one of the chain is asked from now on. @returns false: there is none */
  async #moveOn(why: string): Promise<boolean> {
    const [, next] = this.#members;
    if (next === undefined) return false;
    this.#members.shift();
    this.#room = Infinity;
    const named = next === 'shards' ? 'a shard' : next.payer.entry.id;
    await this.#query.log(`${why}: ${named} is asked`);
    return true;
  }

  /** The size that a shard's call is reserved by. Only a call that is paid for is measured: a free one reserves nothing. */
  async #toCallSize(prompt: ArchivePrompt): Promise<CallSize> {
    const { excluded } = this.#route;
    const shards = [...this.#parts.shards].filter(([number]) => !excluded.includes(number));
    const paid = shards.find(([, { payer }]) => !payer.free)?.[1].payer.entry;
    if (paid === undefined) return { inputTokensBound: prompt.bytes, maxTokens: 0 };
    const countInput = (signal: AbortSignal): Promise<number | null> => this.#size.count(prompt, signal);
    const size = { ...toCallSize(paid, toBounds(prompt)), countInput };
    const { inputTokensBound, maxTokens } = await toReservedBound(paid, size, this.#query.signal);
    return { inputTokensBound, maxTokens };
  }

  #reserve({ payer }: AskableModel, bound: CallSize): Promise<Reservation<ArchiveReply>> {
    return this.#query.calls.reserve({ turn: QUERY_TURN, payer, bound });
  }

  #send(
    reservation: Reservation<ArchiveReply>,
    asked: AskableModel,
    prompt: ArchivePrompt,
  ): Promise<PaidReply<ArchiveReply>> {
    return reservation.send(this.#toSend(asked, prompt));
  }

  #toSend({ model, payer }: AskableModel, { request }: ArchivePrompt, permit?: PacePermit): Send<ArchiveReply> {
    const { signal } = this.#query;
    const maxTokens = toReplyRoom(payer.entry, ANSWER_TOKENS);
    const limits = permit === undefined ? {} : { onLimits: permit.onLimits.bind(permit) };
    return (onInput) => model.ask({ ...request, model: payer.entry.id, maxTokens }, { signal, onInput, ...limits });
  }
}

/** Whether another model may answer: this one is limited, cools down, refuses its key or does not answer. */
function isElsewhere(error: unknown): boolean {
  return (
    error instanceof RateLimitedError ||
    error instanceof ModelCoolingError ||
    error instanceof AccountRefusedError ||
    error instanceof ProviderUnavailableError
  );
}

function toBounds({ request: { system, prompt } }: ArchivePrompt): TextBound {
  return boundTokens(JSON.stringify(system + prompt));
}

function toCallSize(entry: CatalogEntry, { tokens, bytes }: TextBound): CallSize {
  return { inputTokensBound: tokens, inputBytesBound: bytes, maxTokens: toReplyRoom(entry, ANSWER_TOKENS) };
}

import {
  type AccountRefusedError,
  RateLimitedError,
  ShardsUsedUpError,
  ShutdownError,
  TaskFailedError,
} from '../../errors.ts';
import { withBilled } from '../../models/failed-call.ts';
import type { CallOptions, Model, ModelReply, ModelRequest } from '../../models/model.ts';
import { LONGEST_WAIT_MS } from '../../pacing/model-pace.ts';
import type { PaceAsk, PaceWait, Permit, RunPace } from '../../pacing/types.ts';
import { toPromptTokens } from '../../pricing/tokens.ts';
import { classifyFailure } from '../answer/call-failure.ts';
import type { Permit as ShardPermit, RateGate, WaitReason } from '../gate/types.ts';

/** What the runs of one process share. */
export interface ShardRunParts {
  /** Whether calls of this model are made with the keys of the shards. */
  isOnShards(model: string): boolean;
  /** Opens it at the first call. @throws TaskFailedError where a shard has no tier */
  openGate(): Promise<RateGate>;
  /** Numbers of the shards whose calls are free. */
  free: ReadonlySet<number>;
  /** How many shards there are. */
  shardCount: number;
}

/** A call that has its place in the quota of a shard. */
interface ShardCall {
  permit: ShardPermit;
  gate: RateGate;
  /** Estimated tokens of its prompt. */
  tokens: number;
}

const DRAIN_LOOK_MS = 500;
/** Shortest wait of a task that met no room. */
const SHORT_WAIT_MS = 1_000;
/** The reasons for which a shard is closed to every call. */
const CLOSED: ReadonlySet<WaitReason> = new Set(['day', 'cooling', 'failing', 'refused']);
/** What the pacer of other models would be told: here, the end of the call has told the gate. */
const TOLD: Permit = { onLimits() {}, ended() {}, refused() {}, failed() {}, giveBack() {} };

/**
 * The calls of one run of one job. Those of a Gemini model take their place from the same gate as the librarians' questions, and
 * count in the same quota; the others go their own way. A shard that refuses a call is left to others: the call is asked for again.
 */
export class ShardRun implements RunPace {
  readonly #parts: ShardRunParts;
  readonly #others: RunPace;
  readonly #excluded = new Set<number>();
  #refusal: AccountRefusedError | null = null;
  #call: ShardCall | null = null; // has a place, and was not made yet

  /** @param others of the other models */
  constructor(parts: ShardRunParts, others: RunPace) {
    this.#parts = parts;
    this.#others = others;
  }

  note(line: string): Promise<void> {
    return this.#others.note(line);
  }

  admitNow(ask: PaceAsk): Permit | null {
    return this.#parts.isOnShards(ask.model) ? null : this.#others.admitNow(ask);
  }

  async admit(ask: PaceAsk, wait: PaceWait): Promise<Permit | null> {
    if (!this.#parts.isOnShards(ask.model)) return this.#others.admit(ask, wait);
    if (wait.isNeeded !== undefined && !(await wait.isNeeded())) return null; // a reply that is stored takes no place
    const gate = await this.#parts.openGate();
    const permit = await this.#acquire(gate, ask, wait);
    this.#call = { permit, gate, tokens: ask.inputTokens };
    return this.#toPermit(permit);
  }

  watch(model: Model): Model {
    const others = this.#others.watch(model);
    return {
      ...others,
      call: (request, options) =>
        this.#parts.isOnShards(request.model)
          ? this.#callOnShard(model, request, options)
          : others.call(request, options),
    };
  }

  leave(): void {
    this.#others.leave();
  }

  /** @throws ShardsUsedUpError where no shard has room within a minute, ShutdownError, TaskFailedError `too-long` and `model` */
  async #acquire(gate: RateGate, { model, inputTokens: tokens }: PaceAsk, wait: PaceWait): Promise<ShardPermit> {
    const ending = new AbortController();
    const late = setTimeout(
      () => ending.abort(toUsedUp(SHORT_WAIT_MS, 'no shard had room for a minute')),
      LONGEST_WAIT_MS,
    );
    const look = setInterval(() => {
      if (wait.isDraining()) ending.abort(new ShutdownError('this process goes away, or makes room'));
    }, DRAIN_LOOK_MS);
    try {
      const signal = AbortSignal.any([wait.signal, ending.signal]);
      const answer = await gate.acquire({ tokens, exclude: [...this.#excluded] }, { signal });
      if (answer.kind === 'permit') return answer;
      if (answer.kind === 'too-large') throw toTooLong(model, tokens, answer.limitTokens);
      if (this.#excluded.size === this.#parts.shardCount) throw this.#toNoShard(model);
      const isForAnyShard = this.#excluded.size === 0 && CLOSED.has(answer.reason);
      const words = `no shard has room until ${new Date(answer.untilMs).toISOString()} (${answer.reason})`;
      throw toUsedUp(Math.max(SHORT_WAIT_MS, answer.untilMs - Date.now()), words, isForAnyShard);
    } finally {
      clearTimeout(late);
      clearInterval(look);
    }
  }

  #toPermit(permit: ShardPermit): Permit {
    const free = this.#parts.free.has(permit.shard);
    return {
      ...TOLD,
      free,
      giveBack: () => {
        if (this.#call?.permit !== permit) return; // made
        this.#call = null;
        permit.release().catch(() => undefined); // then it counts until its window is over
      },
    };
  }

  async #callOnShard(model: Model, request: ModelRequest, options: CallOptions): Promise<ModelReply> {
    const call = this.#call;
    this.#call = null;
    if (call === null || !call.permit.isFresh()) {
      await call?.permit.release();
      throw askAgain(request.model, 'its place among the calls of the shards is over');
    }
    const { permit, gate } = call;
    const { shard } = permit;
    let reply: ModelReply;
    try {
      reply = await permit.send(() => model.call(request, { ...options, shard }));
    } catch (error) {
      throw await this.#onFailure(error, call, request.model);
    }
    // The reply is paid for: an error of the gate must not lose it.
    await Promise.allSettled([permit.settle(toPromptTokens(reply.usage)), gate.reportSuccess(shard)]);
    return reply;
  }

  /** Tells the gate how a call failed. @returns what the run ends with, or what makes it ask for another place */
  async #onFailure(thrown: unknown, { permit, gate, tokens }: ShardCall, model: string): Promise<unknown> {
    const { shard, day } = permit;
    const { countedTokens, report, next, message } = classifyFailure(thrown, { shard, tokens });
    await Promise.allSettled([
      permit.settle(countedTokens),
      report?.kind === 'quota' ? gate.report429(shard, { ...report.quota, day }) : null,
      report?.kind === 'failure' ? gate.reportFailure(shard, report.failure) : null,
    ]);
    if (next.kind === 'exclude') {
      this.#excluded.add(shard);
      this.#refusal = next.refusal ?? this.#refusal;
      if (this.#excluded.size === this.#parts.shardCount) return this.#toNoShard(model);
      return askAgain(model, `shard ${shard}: ${message}`);
    }
    const isQuota = report?.kind === 'quota';
    const stated = isQuota && report.quota.scope === 'tokens' ? report.quota.statedLimit : null;
    if (stated !== null && tokens > stated) return toTooLong(model, tokens, stated);
    return isQuota ? askAgain(model, `shard ${shard}: ${message}`) : thrown;
  }

  /** Every shard has refused the call: the account's, if a key was refused. */
  #toNoShard(model: string): Error {
    return this.#refusal ?? withBilled(new TaskFailedError('model', `${model}: the plan of no shard has it`), 'no');
  }
}

/** Nothing was paid: the run takes another place. */
function askAgain(model: string, words: string): RateLimitedError {
  return withBilled(new RateLimitedError(model, 0, words), 'no');
}

function toUsedUp(delayMs: number, words: string, isForAnyShard = false): ShardsUsedUpError {
  return new ShardsUsedUpError(delayMs, words, isForAnyShard);
}

function toTooLong(model: string, tokens: number, limit: number): TaskFailedError {
  const text = `${model}: the prompt has up to ${tokens} tokens, and no shard takes more than ${limit} a minute; shorten the task, or name a model with a key of its own`;
  return withBilled(new TaskFailedError('too-long', text), 'no');
}

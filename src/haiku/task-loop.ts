import type Anthropic from '@anthropic-ai/sdk';
import type { TaskData, TaskResult } from '../../queues/tasks.ts';
import {
  CancelledError,
  FleetError,
  HaltError,
  LockLostError,
  ModelCoolingError,
  ShutdownError,
  TaskFailedError,
} from '../errors.ts';
import { costNanoUsd, worstCaseNanoUsd } from '../pricing/cost.ts';
import type { Booking, JobTotals, TaskIdentity, TurnLedger, TurnNote } from '../ledger/types.ts';
import { addUsage, NO_USAGE, toTotalTokens } from '../pricing/tokens.ts';
import { formatUsd, toUsdString } from '../pricing/money.ts';
import type { Finding } from '../findings/finding.ts';
import type { CatalogEntry } from '../pricing/catalog.ts';
import type { Model, ModelReply, ModelRequest } from '../models/model.ts';
import { toBudgetError } from '../ledger/refusals.ts';
import { Conversation } from './conversation.ts';
import { MAX_REPLY_TOKENS, type Decision, interpretReply } from './interpret-reply.ts';
import { toFinding } from './to-finding.ts';
import { toRepairMessage, toSystemBlocks, toTaskMessage, type MemoryContext } from './prompt.ts';
import type { ResultCheck } from '../tasks/result-schema.ts';
import {
  applyOutcome,
  type ToolContext,
  type ToolOutcome,
  type Toolset,
  createToolState,
  type ToolState,
} from './tools/tool.ts';

const DEFAULT_MAX_TURNS = 30;

/** One run of one task: what it is, and how it talks to whoever runs it. */
export interface TaskRun {
  identity: TaskIdentity;
  task: TaskData;
  /** Fires when the run must end at once: cancelled, lock lost, out of time. Its reason is the error to end with. */
  signal: AbortSignal;
  /** True once the process goes away or makes room: the run ends before its next call or its next tools. */
  isDraining(): boolean;
}

/** What a task ends with: what the job returns, and the finding itself for who runs it without a queue. */
export type CompletedTask = TaskResult & { finding: Finding };

export interface TaskLoopParts {
  model: Model;
  entry: CatalogEntry;
  ledger: TurnLedger;
  toolset: Toolset;
  toolContext: Omit<ToolContext, 'state' | 'signal'>;
  contexts: MemoryContext[];
  checkResult: ResultCheck;
  workerId: string;
  now(): Date;
}

/**
 * Does one task: model call, tools, model call … until the result is there, and records the finding.
 *
 * Delivery contract: a run may die at any line. A restarted run replays stored replies and tool results, pays nothing
 * again, and goes on at the first turn that is not stored; a tool's effect may happen twice, a finding may not.
 *
 * @throws every class of `src/errors.ts` that `jobs/outcomes.ts` knows
 */
export async function runTask(run: TaskRun, parts: TaskLoopParts): Promise<CompletedTask> {
  return new TaskLoop(run, parts).run();
}

class TaskLoop {
  readonly #run: TaskRun;
  readonly #parts: TaskLoopParts;
  readonly #conversation: Conversation;
  readonly #state: ToolState = createToolState();
  readonly #maxTurns: number;
  readonly #system: ReturnType<typeof toSystemBlocks>;
  #epoch = '';
  #totals: JobTotals = { nanoUsd: 0, usage: { ...NO_USAGE }, calls: 0 };
  #stored = new Map<string, string>();
  #begun = false; // the ledger was asked once: what is stored is known
  #replayed = 0;
  #repairs = 0;
  #toolResults: { turn: number; epoch: string; json: string } | undefined;

  constructor(run: TaskRun, parts: TaskLoopParts) {
    this.#run = run;
    this.#parts = parts;
    this.#maxTurns = run.task.max_turns ?? DEFAULT_MAX_TURNS;
    this.#system = toSystemBlocks(parts.contexts);
    this.#conversation = new Conversation([this.#system, parts.toolset.definitions], toTaskMessage(run.task));
  }

  async run(): Promise<CompletedTask> {
    for (let turn = 0; turn < this.#maxTurns; turn += 1) {
      this.#trim();
      const answered = await this.#answer(turn);
      if ('finding' in answered) return answered.finding;
      this.#conversation.addReply(answered.reply);
      const { decision } = answered;
      if (decision.kind === 'fail') throw decision.error;
      if (decision.kind === 'repair')
        this.#conversation.addUser([{ type: 'text', text: toRepairMessage(decision.problem) }]);
      if (decision.kind === 'tools') this.#conversation.addUser(await this.#useTools(turn, decision.uses));
    }
    throw new Error('the last turn always ends the task');
  }

  /** The reply of this turn, stored or new; or, where it is the last one, the finding. */
  async #answer(turn: number): Promise<{ reply: ModelReply; decision: Decision } | { finding: CompletedTask }> {
    const request = this.#toRequest();
    let reservation: string | null = null;
    let reply = this.#storedReply(turn);
    if (reply === null) {
      const begun = await this.#begin(turn, request);
      if ('finding' in begun) return begun;
      reservation = begun.reservation;
      reply = reservation === null ? this.#storedReply(turn) : await this.#call(request, reservation);
      if (reply === null) return this.#answer(turn); // what was stored is loaded now; ask again, for this turn
    }
    const replayed = reservation === null;
    if (replayed) this.#replayed += 1;
    const booking = reservation === null ? null : this.#book(reservation, reply);
    const decision = interpretReply(reply, {
      usage: this.#totals.usage,
      repaired: this.#repairs > 0,
      last: turn + 1 === this.#maxTurns,
      maxTurns: this.#maxTurns,
      checkResult: this.#parts.checkResult,
    });
    const note = this.#toNote(turn, booking, decision);
    if (decision.kind === 'final') return { finding: await this.#finish(decision.value, turn, reply, booking, note) };
    if (decision.kind === 'repair') this.#repairs += 1;
    if (booking !== null) {
      const answer = await this.#parts.ledger.settle(
        this.#run.identity,
        { epoch: this.#epoch, turn },
        booking,
        reply,
        this.#totals,
        note,
      );
      if (answer === 'lock-lost') throw lockLost(this.#run.identity);
    }
    return { reply, decision };
  }

  async #begin(
    turn: number,
    request: ModelRequest,
  ): Promise<{ reservation: string | null } | { finding: CompletedTask }> {
    const { identity } = this.#run;
    this.#run.signal.throwIfAborted();
    if (this.#run.isDraining()) {
      await this.#keepToolResults();
      throw new ShutdownError('this process goes away, or makes room');
    }
    const answer = await this.#parts.ledger.begin(identity, {
      turn,
      worstNanoUsd: worstCaseNanoUsd(this.#parts.entry, {
        inputTokensBound: this.#conversation.tokensBound,
        maxTokens: request.maxTokens,
      }),
      first: !this.#begun,
      ...(this.#toolResults === undefined ? {} : { toolResults: this.#toolResults }),
    });
    this.#begun = true;
    this.#toolResults = undefined;
    switch (answer.kind) {
      case 'reserved':
        this.#epoch = answer.epoch;
        return { reservation: answer.reservation };
      case 'replay':
        this.#epoch = answer.epoch;
        this.#totals = answer.totals;
        this.#stored = answer.stored;
        return { reservation: null };
      case 'done':
        return {
          finding: { findingId: identity.findingId, costNanoUsd: 0, finding: JSON.parse(answer.finding) as Finding },
        };
      case 'taken':
        throw findingTaken(identity);
      case 'lock-lost':
        throw lockLost(identity);
      case 'cancelled':
        throw new CancelledError('cancelled before its next call');
      case 'halted':
        throw new HaltError(answer.reason);
      case 'cooling':
        throw new ModelCoolingError(identity.model, answer.delayMs, `${identity.model} cools down`);
      case 'budget':
        throw toBudgetError(answer);
    }
  }

  /** The paid call. Whatever happens, the reservation does not stay open. */
  async #call(request: ModelRequest, reservation: string): Promise<ModelReply> {
    const { identity, signal } = this.#run;
    const { ledger, model, entry } = this.#parts;
    try {
      return await model.call(request, { signal });
    } catch (error) {
      const billed = (error instanceof FleetError ? error.billed : undefined) ?? 'unknown';
      if (typeof billed === 'object') {
        const booking = { reservation, nanoUsd: costNanoUsd(entry, billed), usage: billed };
        this.#addToTotals(booking);
        await ledger.settle(identity, { epoch: this.#epoch, turn: -1 }, booking, null, this.#totals, {
          log: '',
          progress: null,
        });
      } else {
        await ledger.closeReservation(identity, reservation, billed === 'no' ? 'release' : 'uncertain');
      }
      throw error;
    }
  }

  async #useTools(turn: number, uses: Anthropic.ToolUseBlock[]): Promise<Anthropic.ToolResultBlockParam[]> {
    const stored = this.#stored.get(`t:${this.#epoch}:${turn}`);
    const outcomes: ToolOutcome[] = stored === undefined ? [] : (JSON.parse(stored) as ToolOutcome[]);
    if (stored === undefined) {
      // The reply is stored: whoever takes the job over runs the tools. A turn's tools are never left half run.
      if (this.#run.isDraining()) throw new ShutdownError('this process goes away, or makes room');
      for (const use of uses) {
        this.#run.signal.throwIfAborted();
        const outcome = await this.#parts.toolset.run(use.name, use.input, {
          ...this.#parts.toolContext,
          state: this.#state,
          signal: this.#run.signal,
        });
        applyOutcome(this.#state, outcome);
        outcomes.push(outcome);
      }
      this.#toolResults = { turn, epoch: this.#epoch, json: JSON.stringify(outcomes) };
    } else {
      for (const outcome of outcomes) applyOutcome(this.#state, outcome);
    }
    const handBack = outcomes.find((outcome) => outcome.handBack !== undefined)?.handBack;
    if (handBack !== undefined) {
      throw new TaskFailedError('handed-back', `${handBack.reason}: ${handBack.explanation}`);
    }
    return uses.map((use, at) => ({
      type: 'tool_result',
      tool_use_id: use.id,
      content: outcomes[at]?.content ?? '',
      ...(outcomes[at]?.isError === true ? { is_error: true } : {}),
    }));
  }

  async #finish(
    value: unknown,
    turn: number,
    reply: ModelReply,
    booking: Booking | null,
    note: TurnNote,
  ): Promise<CompletedTask> {
    const { identity, task } = this.#run;
    const finding = toFinding({
      identity,
      task,
      value,
      totals: this.#totals,
      state: this.#state,
      entry: this.#parts.entry,
      workerId: this.#parts.workerId,
      recovered: this.#replayed,
      at: this.#parts.now(),
    });
    const answer = await this.#parts.ledger.finish(identity, finding, booking, note);
    if (answer === 'lock-lost') {
      if (booking !== null) await this.#parts.ledger.keepReply(identity, { epoch: this.#epoch, turn }, reply);
      throw lockLost(identity);
    }
    if (answer === 'taken') throw findingTaken(identity);
    return { findingId: identity.findingId, costNanoUsd: this.#totals.nanoUsd, finding };
  }

  #storedReply(turn: number): ModelReply | null {
    const json = this.#stored.get(`r:${this.#epoch}:${turn}`);
    return json === undefined ? null : (JSON.parse(json) as ModelReply);
  }

  #book(reservation: string, reply: ModelReply): Booking {
    const booking = { reservation, nanoUsd: costNanoUsd(this.#parts.entry, reply.usage), usage: reply.usage };
    this.#addToTotals(booking);
    return booking;
  }

  #addToTotals(booking: Booking): void {
    this.#totals = {
      nanoUsd: this.#totals.nanoUsd + booking.nanoUsd,
      usage: addUsage(this.#totals.usage, booking.usage),
      calls: this.#totals.calls + 1,
    };
  }

  #toRequest(): ModelRequest {
    const { entry, toolset } = this.#parts;
    return {
      model: entry.id,
      system: this.#system,
      messages: this.#conversation.messages,
      tools: toolset.definitions,
      maxTokens: Math.min(entry.maxOutputTokens, MAX_REPLY_TOKENS),
      user: this.#run.identity.jobId,
    };
  }

  #trim(): void {
    const { entry } = this.#parts;
    const window = entry.contextTokens - MAX_REPLY_TOKENS;
    const limit = Math.min(entry.priceStepTokens ?? window, window);
    this.#conversation.trim(limit);
    if (this.#conversation.tokensEstimate > limit) {
      throw new TaskFailedError(
        'step-limit',
        `the prompt has about ${this.#conversation.tokensEstimate} tokens, ${entry.id} is kept under ${limit}; shorten the task or its data`,
      );
    }
  }

  /** A run that ends between tools and the next call leaves the results behind, so that they need not run again. */
  async #keepToolResults(): Promise<void> {
    if (this.#toolResults === undefined) return;
    await this.#parts.ledger.keepToolResults(this.#run.identity, this.#toolResults);
    this.#toolResults = undefined;
  }

  #toNote(turn: number, booking: Booking | null, decision: Decision): TurnNote {
    const of = this.#maxTurns;
    const cost = booking === null ? 'replayed' : formatUsd(booking.nanoUsd, 6);
    const what = decision.kind === 'tools' ? decision.uses.map((use) => use.name).join(', ') : decision.kind;
    const tokens = booking === null ? '' : `, ${toTotalTokens(booking.usage)} tokens`;
    return {
      log: `${this.#parts.now().toISOString()} turn ${turn + 1} of ${of}: ${what} (${cost}${tokens}, ${this.#parts.workerId})`,
      progress: { turn: turn + 1, of, costUsd: Number(toUsdString(this.#totals.nanoUsd, 6)) },
    };
  }
}

function lockLost(identity: TaskIdentity): LockLostError {
  return new LockLostError(`another worker has job ${identity.jobId}`);
}

function findingTaken(identity: TaskIdentity): TaskFailedError {
  return new TaskFailedError(
    'finding-taken',
    `finding ${identity.findingId} already exists and belongs to another task`,
  );
}

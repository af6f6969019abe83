import type Anthropic from '@anthropic-ai/sdk';
import type { TaskData, TaskResult } from '../../../queues/tasks.ts';
import { BoundThinkingError, TaskFailedError } from '../../errors.ts';
import type { Finding } from '../../findings/finding.ts';
import { PaidCalls, type PaidReply } from '../../ledger/paid-calls.ts';
import type { TaskIdentity, TurnLedger, TurnNote } from '../../ledger/types.ts';
import type { Model, ModelReply, ModelRequest } from '../../models/model.ts';
import type { CatalogEntry } from '../../pricing/catalog.ts';
import type { ResultCheck } from '../../tasks/result-schema.ts';
import { countOf } from '../../text/plural.ts';
import { Conversation } from './conversation.ts';
import { interpretReply, MAX_REPLY_TOKENS, type Decision } from './interpret-reply.ts';
import { toPrefixHash } from './prefix-hash.ts';
import { toRepairMessage, toSystemBlocks, toTaskMessage, type MemoryContext } from './prompt.ts';
import { toFinding } from './to-finding.ts';
import { createToolState, type ToolContext, type Toolset } from '../tools/tool.ts';
import { toTurnNote } from './turn-note.ts';
import { toToolResults, useTools } from './use-tools.ts';

const DEFAULT_MAX_TURNS = 30;

/** One run of one task. */
export interface TaskRun {
  identity: TaskIdentity;
  task: TaskData;
  /** Fires when the run must end at once: cancelled, lock lost, out of time. Its reason is the error that the run throws. */
  signal: AbortSignal;
  /** True once the process shuts down or gives the job up: the run ends before its next call or its next tools. */
  isDraining(): boolean;
}

/** What the job returns, and the finding for a caller that runs the task without a queue. */
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
 * Runs one task: model call, tools, model call … until a reply is the result. Then it records the finding.
 *
 * Delivery contract: the process may die at any line. The next run replays the stored replies and tool results, pays
 * nothing twice, and continues at the first turn that is not stored. A tool may run twice; a finding is recorded once.
 *
 * @throws every class of `src/errors.ts` that `jobs/outcomes/outcomes.ts` handles
 */
export async function runTask(run: TaskRun, parts: TaskLoopParts): Promise<CompletedTask> {
  return new TaskLoop(run, parts).run();
}

/** A reply as a turn stores it. */
interface TurnReply extends ModelReply {
  /** Hash of what the prompt began with (`toPrefixHash`). Absent: a version stored it that kept none. */
  prefix?: string;
}

class TaskLoop {
  readonly #run: TaskRun;
  readonly #parts: TaskLoopParts;
  readonly #calls: PaidCalls<TurnReply>;
  readonly #conversation: Conversation;
  readonly #state = createToolState();
  readonly #maxTurns: number;
  readonly #system: Anthropic.TextBlockParam[];
  readonly #limitTokens: number;
  readonly #prefix: string;
  #replayedCount = 0;
  #withoutThinking = 0;
  #wasRefused = false;
  #isRepaired = false;

  constructor(run: TaskRun, parts: TaskLoopParts) {
    const { signal, isDraining } = run;
    this.#run = run;
    this.#parts = parts;
    this.#calls = new PaidCalls({ ledger: parts.ledger, identity: run.identity, signal, isDraining });
    this.#maxTurns = run.task.max_turns ?? DEFAULT_MAX_TURNS;
    this.#system = toSystemBlocks(parts.contexts);
    this.#limitTokens = toLimitTokens(parts.entry);
    const first = toTaskMessage(run.task);
    const tools = parts.toolset.definitions;
    this.#conversation = new Conversation([this.#system, tools], first);
    this.#prefix = toPrefixHash({ model: parts.entry.id, limitTokens: this.#limitTokens, first }, [
      this.#system,
      tools,
    ]);
  }

  async run(): Promise<CompletedTask> {
    for (let turn = 0; turn < this.#maxTurns; turn += 1) {
      this.#trimPrompt();
      const paid = await this.#call(turn);
      if (paid.kind === 'done') return this.#toCompleted(JSON.parse(paid.finding) as Finding, 0);
      const decision = this.#interpret(turn, paid);
      const note = this.#toNote(turn, paid, decision);
      if (decision.kind === 'final') return this.#record(paid, decision.value, note);
      await this.#calls.store(paid, note);
      if (decision.kind === 'fail') throw decision.error;
      this.#addReply(paid.reply);
      this.#conversation.addUser(
        decision.kind === 'tools' ? await this.#useTools(turn, decision.uses) : this.#askForRepair(decision.problem),
      );
    }
    throw new Error('the last turn always ends the task');
  }

  /** Drops old tool results. @throws TaskFailedError `step-limit` if the prompt is still too long */
  #trimPrompt(): void {
    const { entry } = this.#parts;
    const limit = this.#limitTokens;
    this.#conversation.trim(limit);
    if (this.#conversation.tokensEstimate > limit) {
      throw new TaskFailedError(
        'step-limit',
        `the prompt has about ${this.#conversation.tokensEstimate} tokens, ${entry.id} is kept under ${limit}; shorten the task or its data`,
      );
    }
  }

  /** A reply of an earlier run that another prompt led to leaves its thinking behind. */
  #addReply(reply: TurnReply): void {
    this.#withoutThinking += this.#conversation.addReply(reply, reply.prefix === this.#prefix);
  }

  #call(turn: number): ReturnType<PaidCalls<TurnReply>['make']> {
    const { identity } = this.#run;
    const { model, entry, toolset } = this.#parts;
    const maxTokens = Math.min(entry.maxOutputTokens, MAX_REPLY_TOKENS);
    const request = {
      model: entry.id,
      system: this.#system,
      messages: this.#conversation.messages,
      tools: toolset.definitions,
      maxTokens,
      user: identity.jobId,
    };
    const countInput = (signal: AbortSignal): Promise<number | null> => model.countTokens(request, { signal });
    const bound = { ...this.#conversation.bound, maxTokens, countInput };
    return this.#calls.make({ turn, payer: { entry, free: false }, bound }, () => this.#send(request));
  }

  /** Asks once more, without thinking, if the provider refuses the thinking of earlier turns. That refusal costs nothing. */
  async #send(request: ModelRequest): Promise<TurnReply> {
    const { model } = this.#parts;
    const { signal } = this.#run;
    const prefix = this.#prefix;
    try {
      return { ...(await model.call(request, { signal })), prefix };
    } catch (error) {
      if (!(error instanceof BoundThinkingError) || this.#conversation.dropThinking() === 0) throw error;
      this.#wasRefused = true;
      return { ...(await model.call(request, { signal })), prefix };
    }
  }

  #interpret(turn: number, { reply, booking }: PaidReply<TurnReply>): Decision {
    if (booking === null) this.#replayedCount += 1;
    return interpretReply(reply, {
      usage: this.#calls.totals.usage,
      repaired: this.#isRepaired,
      last: turn + 1 === this.#maxTurns,
      maxTurns: this.#maxTurns,
      checkResult: this.#parts.checkResult,
    });
  }

  #askForRepair(problem: string): Anthropic.TextBlockParam[] {
    this.#isRepaired = true;
    return [{ type: 'text', text: toRepairMessage(problem) }];
  }

  async #useTools(turn: number, uses: Anthropic.ToolUseBlock[]): Promise<Anthropic.ToolResultBlockParam[]> {
    const stored = this.#calls.storedToolResults(turn);
    const { signal, isDraining } = this.#run;
    const { toolset, toolContext } = this.#parts;
    const context = { ...toolContext, state: this.#state, signal };
    const outcomes = await useTools(uses, stored, { toolset, context, isDraining });
    if (stored === undefined) this.#calls.addToolResults(turn, JSON.stringify(outcomes));
    return toToolResults(uses, outcomes);
  }

  async #record(paid: PaidReply<TurnReply>, value: unknown, note: TurnNote): Promise<CompletedTask> {
    const { identity, task } = this.#run;
    const { entry, ledger, workerId, now } = this.#parts;
    const { totals } = this.#calls;
    const finding = toFinding({
      identity,
      task,
      value,
      totals,
      state: this.#state,
      entry,
      workerId,
      recovered: this.#replayedCount,
      endedAt: now(),
    });
    await this.#calls.record(paid, () => ledger.finish(identity, finding, paid.booking, note));
    return this.#toCompleted(finding, totals.nanoUsd);
  }

  #toCompleted(finding: Finding, costNanoUsd: number): CompletedTask {
    return { findingId: this.#run.identity.findingId, costNanoUsd, finding };
  }

  #toNote(turn: number, { booking }: PaidReply<TurnReply>, decision: Decision): TurnNote {
    const { workerId, now } = this.#parts;
    const totalNanoUsd = this.#calls.totals.nanoUsd;
    const remarks = booking === null ? [] : this.#takeRemarks(); // no line tells of a replayed turn
    return toTurnNote({
      turn,
      maxTurns: this.#maxTurns,
      decision,
      booking,
      totalNanoUsd,
      workerId,
      repliedAt: now(),
      remarks,
    });
  }

  /** What happened since the last line of the job's log. */
  #takeRemarks(): string[] {
    const replies = countOf(this.#withoutThinking, 'reply', 'replies');
    const remarks = [
      ...(this.#withoutThinking > 0 ? [`without the thinking of ${replies} to another prompt`] : []),
      ...(this.#wasRefused ? ['asked again without thinking, which the provider took for that of another prompt'] : []),
    ];
    this.#withoutThinking = 0;
    this.#wasRefused = false;
    return remarks;
  }
}

/** Share of the price step that prompts stay under: the estimate may be too low, and the step would cost many times the price. */
const SHARE_OF_STEP = 0.8;

/** Tokens that a prompt may have: well below the price step, and with room for the reply. */
function toLimitTokens({ contextTokens, priceStepTokens }: CatalogEntry): number {
  const window = contextTokens - MAX_REPLY_TOKENS;
  return Math.min(priceStepTokens === null ? window : priceStepTokens * SHARE_OF_STEP, window);
}

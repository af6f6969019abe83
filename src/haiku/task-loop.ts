import type Anthropic from '@anthropic-ai/sdk';
import type { TaskData, TaskResult } from '../../queues/tasks.ts';
import { TaskFailedError } from '../errors.ts';
import type { Finding } from '../findings/finding.ts';
import { PaidCalls, type PaidReply } from '../ledger/paid-calls.ts';
import type { TaskIdentity, TurnLedger, TurnNote } from '../ledger/types.ts';
import type { Model, ModelReply } from '../models/model.ts';
import type { CatalogEntry } from '../pricing/catalog.ts';
import type { ResultCheck } from '../tasks/result-schema.ts';
import { Conversation } from './conversation.ts';
import { interpretReply, MAX_REPLY_TOKENS, type Decision } from './interpret-reply.ts';
import { toRepairMessage, toSystemBlocks, toTaskMessage, type MemoryContext } from './prompt.ts';
import { toFinding } from './to-finding.ts';
import { createToolState, type ToolContext, type Toolset } from './tools/tool.ts';
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

class TaskLoop {
  readonly #run: TaskRun;
  readonly #parts: TaskLoopParts;
  readonly #calls: PaidCalls<ModelReply>;
  readonly #conversation: Conversation;
  readonly #state = createToolState();
  readonly #maxTurns: number;
  readonly #system: Anthropic.TextBlockParam[];
  #replayedCount = 0;
  #isRepaired = false;

  constructor(run: TaskRun, parts: TaskLoopParts) {
    const { signal, isDraining } = run;
    this.#run = run;
    this.#parts = parts;
    this.#calls = new PaidCalls({ ledger: parts.ledger, identity: run.identity, signal, isDraining });
    this.#maxTurns = run.task.max_turns ?? DEFAULT_MAX_TURNS;
    this.#system = toSystemBlocks(parts.contexts);
    this.#conversation = new Conversation([this.#system, parts.toolset.definitions], toTaskMessage(run.task));
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
      this.#conversation.addReply(paid.reply);
      this.#conversation.addUser(
        decision.kind === 'tools' ? await this.#useTools(turn, decision.uses) : this.#askForRepair(decision.problem),
      );
    }
    throw new Error('the last turn always ends the task');
  }

  /** Drops old tool results. @throws TaskFailedError `step-limit` if the prompt is still too long */
  #trimPrompt(): void {
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

  #call(turn: number): ReturnType<PaidCalls<ModelReply>['make']> {
    const { signal, identity } = this.#run;
    const { model, entry, toolset } = this.#parts;
    const maxTokens = Math.min(entry.maxOutputTokens, MAX_REPLY_TOKENS);
    const bound = { inputTokensBound: this.#conversation.tokensBound, maxTokens };
    const request = {
      model: entry.id,
      system: this.#system,
      messages: this.#conversation.messages,
      tools: toolset.definitions,
      maxTokens,
      user: identity.jobId,
    };
    return this.#calls.make({ turn, payer: { entry, free: false }, bound }, () => model.call(request, { signal }));
  }

  #interpret(turn: number, { reply, booking }: PaidReply<ModelReply>): Decision {
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

  async #record(paid: PaidReply<ModelReply>, value: unknown, note: TurnNote): Promise<CompletedTask> {
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

  #toNote(turn: number, { booking }: PaidReply<ModelReply>, decision: Decision): TurnNote {
    const { workerId, now } = this.#parts;
    const totalNanoUsd = this.#calls.totals.nanoUsd;
    return toTurnNote({ turn, maxTurns: this.#maxTurns, decision, booking, totalNanoUsd, workerId, repliedAt: now() });
  }
}

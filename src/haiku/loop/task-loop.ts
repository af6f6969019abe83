import type { TextBlock, ToolResultBlock, ToolUseBlock } from '../../models/format.ts';
import type { Finding } from '../../findings/finding.ts';
import type { PaidReply } from '../../ledger/calls/reserved-call.ts';
import type { TurnNote } from '../../ledger/types.ts';
import { toTotalTokens } from '../../pricing/tokens.ts';
import { applySeen, createToolState, type ToolContext, type ToolState } from '../tools/tool.ts';
import { interpretReply, toResultText, type Decision } from './interpret-reply.ts';
import { EMPTY_NOTICE, LAST_TURN_NOTICE, THREE_TURNS_NOTICE, toRepairMessage } from './prompt.ts';
import { noteSimulatedCause } from '../tools/simulated-cause.ts';
import { toFinding } from './to-finding.ts';
import { describeToolErrors, ToolErrorCount } from './tool-errors.ts';
import { readFirst, TurnCalls } from './turn-calls.ts';
import { describeDecision, toToolLine, toTurnNote } from './turn-note.ts';
import type { CompletedTask, FirstMessage, TaskLoopParts, TaskRun, TurnReply } from './types.ts';
import { toToolResults, useTools } from './use-tools.ts';
import { parseExact } from '../../text/exact-json.ts';

/** Model calls of a task that states no number. */
export const DEFAULT_MAX_TURNS = 30;
/** Most tokens of one task, prompts and replies; the turn after them is the last. A task that needs more should be a mission. */
const MAX_TASK_TOKENS = 2_000_000;

/**
 * Runs one task: model call, tools, model call … until a reply is the result. Then it records the finding.
 *
 * Delivery contract: the process may die at any line. The next run replays the stored replies and tool results, pays
 * nothing twice, and continues at the first turn that is not stored. A tool may run twice; a finding is recorded once.
 *
 * @throws every class of `src/errors.ts` that `jobs/outcomes/outcomes.ts` handles
 */
export async function runTask(run: TaskRun, parts: TaskLoopParts): Promise<CompletedTask> {
  const state = createToolState();
  const maxTurns = run.task.max_turns ?? DEFAULT_MAX_TURNS;
  const stored = (run.task.builds_on ?? []).length === 0 ? null : await readFirst(run, parts);
  const first = stored ?? (await parts.introduce({ ...parts.toolContext, state, signal: run.signal }, maxTurns));
  try {
    return await new TaskLoop(run, parts, { state, maxTurns, first }).run();
  } catch (error) {
    throw (await parts.isolation?.explain(error)) ?? error;
  }
}

class TaskLoop {
  readonly #run: TaskRun;
  readonly #parts: TaskLoopParts;
  readonly #turns: TurnCalls;
  readonly #state: ToolState;
  readonly #maxTurns: number;
  readonly #toolErrors = new ToolErrorCount();
  #isRepaired = false;
  #isNudged = false;

  constructor(
    run: TaskRun,
    parts: TaskLoopParts,
    { state, maxTurns, first }: { state: ToolState; maxTurns: number; first: FirstMessage },
  ) {
    this.#run = run;
    this.#parts = parts;
    this.#state = state;
    this.#maxTurns = maxTurns;
    this.#turns = new TurnCalls(run, parts, first);
  }

  async run(): Promise<CompletedTask> {
    let isLast = this.#maxTurns === 1;
    for (let turn = 0; ; turn += 1) {
      const paid = await this.#turns.ask(turn, isLast, (cut, moreTokens) =>
        this.#toNote(turn, cut, `cut off, asked once more with ${moreTokens} tokens`),
      );
      if (paid.kind === 'done') return this.#toCompleted(parseExact(paid.finding) as Finding, 0);
      if (turn === 0) await this.#begin();
      const decision = await this.#interpret(turn, isLast, paid);
      const note = this.#toNote(turn, paid, describeDecision(decision));
      if (decision.kind === 'final') return await this.#record(paid, decision, note);
      await this.#turns.store(paid, note);
      isLast = turn + 2 >= this.#maxTurns || toTotalTokens(this.#turns.usage) > MAX_TASK_TOKENS;
      await this.#answer(turn, isLast, paid, decision);
    }
  }

  #begin(): Promise<void> | undefined {
    const { seen, base, simulated = [] } = this.#turns.first;
    for (const id of simulated) this.#state.simulated.add(id);
    applySeen(this.#state, seen);
    return this.#parts.isolation?.begin(base, this.#run.signal);
  }

  async #interpret(turn: number, last: boolean, { reply }: PaidReply<TurnReply>): Promise<Decision> {
    const text = toResultText(reply);
    const checked = text === null ? null : await this.#parts.checkResult(text, this.#run.signal);
    return interpretReply(reply, { turn, last, repaired: this.#isRepaired, nudged: this.#isNudged, checked });
  }

  /** Adds a reply to the prompt, and what the model is told before the next turn. @throws the error of a failed task */
  async #answer(turn: number, isNextLast: boolean, paid: PaidReply<TurnReply>, decision: Decision): Promise<void> {
    const { conversation } = this.#turns;
    const notices = this.#toNotices(turn + 1, isNextLast);
    switch (decision.kind) {
      case 'fail':
        throw decision.error;
      case 'empty':
        // The reply is left out: the provider takes no message without a text.
        this.#isNudged = true;
        return conversation.addToLast([toBlock(EMPTY_NOTICE), ...notices]);
      case 'repair':
        this.#isRepaired = true;
        this.#turns.addReply(paid);
        return conversation.addUser([toBlock(toRepairMessage(decision.problem)), ...notices]);
      case 'tools':
        this.#turns.addReply(paid);
        return conversation.addUser([...(await this.#useTools(turn, decision.uses)), ...notices]);
      case 'final':
    }
  }

  #toNotices(turn: number, isLast: boolean): TextBlock[] {
    if (isLast) return [toBlock(LAST_TURN_NOTICE)];
    return this.#maxTurns - turn === 3 ? [toBlock(THREE_TURNS_NOTICE)] : [];
  }

  async #useTools(turn: number, uses: ToolUseBlock[]): Promise<ToolResultBlock[]> {
    const { paid } = this.#turns;
    const stored = paid.storedToolResults(turn);
    const { isDraining, place } = this.#run;
    const { toolset, isolation, note, now } = this.#parts;
    const context = this.#toContext();
    const outcomes = await useTools(uses, stored, {
      turn,
      toolset,
      context,
      isDraining,
      isolation,
      place,
      record: this.#run.identity.record,
    });
    this.#toolErrors.add(uses, outcomes);
    if (stored === undefined) {
      paid.addToolResults(turn, JSON.stringify(outcomes));
      const failed = describeToolErrors(uses, outcomes);
      if (failed !== null) await note?.(toToolLine(turn, this.#maxTurns, failed, now()));
    }
    return toToolResults(uses, outcomes);
  }

  #toContext(): ToolContext {
    return { ...this.#parts.toolContext, state: this.#state, signal: this.#run.signal };
  }

  /**
   * Commits what the task's own tree holds. The last reply is stored before: a commit takes a while, and the process may die. So is that of a
   * task of another program, whose worker may have it by now.
   */
  async #finishTree(paid: PaidReply<TurnReply>, note: TurnNote): Promise<FinishedTree> {
    const { isolation, entry } = this.#parts;
    await this.#turns.store(paid, note);
    const finished =
      isolation?.hasTree === true
        ? await isolation.finish({ ...this.#turns.paid.totals, isLocal: entry.isLocal }, this.#toContext())
        : null;
    return { paid: { ...paid, booking: null }, note: { log: '', progress: null }, finished };
  }

  async #record(
    final: PaidReply<TurnReply>,
    { value, isPartial }: Extract<Decision, { kind: 'final' }>,
    finalNote: TurnNote,
  ): Promise<CompletedTask> {
    const { identity, task } = this.#run;
    const mayTakeLong = this.#parts.isolation?.hasTree === true || identity.oldId !== undefined;
    const { paid, note, finished } = mayTakeLong
      ? await this.#finishTree(final, finalNote)
      : { paid: final, note: finalNote, finished: null };
    const { entry, ledger, workerId, now } = this.#parts;
    const { totals } = this.#turns.paid;
    if (identity.origin !== undefined) await noteSimulatedCause(this.#state, identity, this.#parts.toolContext);
    const finding = toFinding({
      identity,
      task,
      value,
      isPartial,
      totals,
      state: this.#state,
      toolErrors: this.#toolErrors.toToolErrors(),
      entry,
      workerId,
      recovered: this.#turns.replayedCount,
      endedAt: now(),
      finished,
      routed: [...(task.escalated ?? []), ...this.#turns.routed],
      vendors: this.#parts.vendors,
    });
    await this.#turns.paid.record(paid, () => ledger.finish(identity, finding, paid.booking, note));
    if (this.#parts.isolation !== null) await this.#parts.isolation.close();
    return this.#toCompleted(finding, totals.nanoUsd);
  }

  #toCompleted(finding: Finding, costNanoUsd: number): CompletedTask {
    return { findingId: this.#run.identity.findingId, costNanoUsd, finding };
  }

  #toNote(turn: number, { booking }: PaidReply<TurnReply>, what: string): TurnNote {
    const { workerId, now } = this.#parts;
    const totalNanoUsd = this.#turns.paid.totals.nanoUsd;
    const remarks = booking === null ? [] : this.#turns.takeRemarks(); // no line tells of a replayed turn
    const maxTurns = this.#maxTurns;
    const { isLocal } = this.#parts.entry;
    return toTurnNote({ turn, maxTurns, what, booking, totalNanoUsd, isLocal, workerId, repliedAt: now(), remarks });
  }
}

/** The last reply and its line, as they are still to be booked, and what the task's tree holds. */
interface FinishedTree {
  paid: PaidReply<TurnReply>;
  note: TurnNote;
  finished: Pick<Finding, 'changes' | 'patch'> | null;
}

function toBlock(text: string): TextBlock {
  return { type: 'text', text };
}

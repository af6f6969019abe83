import type { ToolResultBlock, ToolUseBlock } from '../../models/format.ts';
import { AwaitsPeersError, ShutdownError, TaskFailedError } from '../../errors.ts';
import type { RunPlace } from '../../ledger/types.ts';
import { ASK_PEERS } from '../tools/peers/ask-peers-tool.ts';
import { applyOutcome, type ToolContext, type ToolOutcome, type Toolset } from '../tools/tool.ts';
import type { RunRecord } from '../../run-record/run-record.ts';
import { noteTool } from './note-tool.ts';
import type { Isolation } from './types.ts';

/** Tools that can change a working tree. A task's tree that is missing here is made again by running them once more. */
const CHANGE_TREES = new Set(['write', 'edit', 'run', 'git', 'json_transform', 'csv_transform']);

/** Tools that look into no file of the workspace. */
const NEED_NO_TREE = new Set(['findings', 'ask_archive', ASK_PEERS, 'hand_back', 'http']);

/** What one turn needs to run tools. */
interface ToolRun {
  turn: number;
  toolset: Toolset;
  context: ToolContext;
  /** True once the process shuts down or gives the job up: no tool begins. */
  isDraining(): boolean;
  isolation: Isolation | null;
  place: RunPlace | undefined;
  record: RunRecord | undefined;
}

/**
 * Runs the tools that a reply asks for. If an earlier run has run them, applies its stored outcomes instead.
 * @param stored the outcomes of an earlier run, as JSON; undefined: the tools have not run
 * @throws ShutdownError, AwaitsPeersError only before the first tool: the reply is stored, and the next run of the job runs the tools
 */
export async function useTools(uses: ToolUseBlock[], stored: string | undefined, run: ToolRun): Promise<ToolOutcome[]> {
  const { turn, toolset, context, isDraining, place } = run;
  if (stored !== undefined) return await replay(uses, JSON.parse(stored) as ToolOutcome[], run);
  await run.isolation?.endReplay();
  const looks = uses.some(({ name }) => !NEED_NO_TREE.has(name));
  if (isDraining()) throw new ShutdownError('this process goes away, or makes room'); // all tools of a turn run, or none
  const answered = await askPeers(uses, run);
  if (looks) await run.isolation?.prepareLook(context);
  const outcomes: ToolOutcome[] = [];
  for (const [i, use] of uses.entries()) {
    context.signal.throwIfAborted();
    await place?.enter(`in tool ${use.name} of turn ${turn}`);
    const begunAt = performance.now();
    const outcome = answered.get(i) ?? (await toolset.run(use.name, use.input, context));
    noteTool(run.record, use, outcome, begunAt);
    applyOutcome(context.state, outcome);
    outcomes.push(outcome);
  }
  return outcomes;
}

/**
 * Asks the peers first: a question without an answer ends the run, and all tools of a turn run, or none.
 * @returns the outcomes by place in the reply
 * @throws AwaitsPeersError for all questions of the turn that are open
 */
async function askPeers(uses: ToolUseBlock[], { toolset, context }: ToolRun): Promise<Map<number, ToolOutcome>> {
  const answered = new Map<number, ToolOutcome>();
  const open: AwaitsPeersError[] = [];
  for (const [i, use] of uses.entries()) {
    if (use.name !== ASK_PEERS) continue;
    try {
      answered.set(i, await toolset.run(use.name, use.input, context));
    } catch (error) {
      if (!(error instanceof AwaitsPeersError)) throw error;
      open.push(error);
    }
  }
  const [first] = open.toSorted((a, b) => a.dueAt - b.dueAt);
  if (first === undefined) return answered;
  throw new AwaitsPeersError(
    open.flatMap(({ calls }) => calls),
    first.dueAt,
    first.message,
  );
}

/** Applies stored outcomes. The model has seen them, so they stay, also where a tool runs again. */
async function replay(
  uses: ToolUseBlock[],
  outcomes: ToolOutcome[],
  { toolset, context, isolation }: ToolRun,
): Promise<ToolOutcome[]> {
  for (const [i, outcome] of outcomes.entries()) {
    const use = uses[i];
    if (use !== undefined && CHANGE_TREES.has(use.name) && isolation?.isMissing(outcome) === true) {
      await toolset.run(use.name, use.input, context);
    }
    applyOutcome(context.state, outcome);
  }
  return outcomes;
}

/**
 * Returns the message that reports the outcomes to the model.
 * @throws TaskFailedError `handed-back` if a tool handed the task back
 */
export function toToolResults(uses: ToolUseBlock[], outcomes: ToolOutcome[]): ToolResultBlock[] {
  const handBack = outcomes.find((outcome) => outcome.handBack !== undefined)?.handBack;
  if (handBack !== undefined) {
    throw new TaskFailedError('handed-back', `${handBack.reason}: ${handBack.explanation}`);
  }
  return uses.map((use, i) => ({
    type: 'tool_result',
    tool_use_id: use.id,
    content: [outcomes[i]?.content ?? '', outcomes[i]?.notice].filter(Boolean).join('\n'),
    ...(outcomes[i]?.isError === true ? { is_error: true } : {}),
  }));
}

import type Anthropic from '@anthropic-ai/sdk';
import { ShutdownError, TaskFailedError } from '../../errors.ts';
import { applyOutcome, type ToolContext, type ToolOutcome, type Toolset } from '../tools/tool.ts';

/** What one turn needs to run tools. */
interface ToolRun {
  toolset: Toolset;
  context: ToolContext;
  /** True once the process shuts down or gives the job up: no tool begins. */
  isDraining(): boolean;
}

/**
 * Runs the tools that a reply asks for. If an earlier run has run them, applies its stored outcomes instead.
 * @param stored the outcomes of an earlier run, as JSON; undefined: the tools have not run
 * @throws ShutdownError only before the first tool: the reply is stored, and the next run of the job runs the tools
 */
export async function useTools(
  uses: Anthropic.ToolUseBlock[],
  stored: string | undefined,
  { toolset, context, isDraining }: ToolRun,
): Promise<ToolOutcome[]> {
  if (stored !== undefined) {
    const outcomes = JSON.parse(stored) as ToolOutcome[];
    for (const outcome of outcomes) applyOutcome(context.state, outcome);
    return outcomes;
  }
  if (isDraining()) throw new ShutdownError('this process goes away, or makes room'); // all tools of a turn run, or none
  const outcomes: ToolOutcome[] = [];
  for (const use of uses) {
    context.signal.throwIfAborted();
    const outcome = await toolset.run(use.name, use.input, context);
    applyOutcome(context.state, outcome);
    outcomes.push(outcome);
  }
  return outcomes;
}

/**
 * Returns the message that reports the outcomes to the model.
 * @throws TaskFailedError `handed-back` if a tool handed the task back
 */
export function toToolResults(
  uses: Anthropic.ToolUseBlock[],
  outcomes: ToolOutcome[],
): Anthropic.ToolResultBlockParam[] {
  const handBack = outcomes.find((outcome) => outcome.handBack !== undefined)?.handBack;
  if (handBack !== undefined) {
    throw new TaskFailedError('handed-back', `${handBack.reason}: ${handBack.explanation}`);
  }
  return uses.map((use, i) => ({
    type: 'tool_result',
    tool_use_id: use.id,
    content: outcomes[i]?.content ?? '',
    ...(outcomes[i]?.isError === true ? { is_error: true } : {}),
  }));
}

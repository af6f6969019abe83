import type { TaskData } from '../../../queues/tasks.ts';
import { stringifyExact } from '../../text/exact-json.ts';
import { toMaterial } from '../../text/quoting/material.ts';
import { startOf } from '../../text/start-of.ts';
import type { ToolContext } from '../tools/tool.ts';

/** UTF-16 code units of the finding that are shown: it is sent again with every call. */
const LONGEST = 20_000;

/** The block that shows the finding for which a rule started the task, and its id if it is of a swarm whose work is simulated. */
export interface Cause {
  block: string;
  simulated: string[];
}

/** Returns the cause of a task, as material. Null: no rule started it. */
export async function describeCause(
  { origin }: Pick<TaskData, 'origin'>,
  { findings }: Pick<ToolContext, 'findings'>,
): Promise<Cause | null> {
  const cause = origin?.chain.at(-1);
  if (cause === undefined) return null;
  const finding = await findings.get(cause.finding).catch(() => null); // another swarm's may be away: its id stays
  const from = `finding ${cause.finding}, for which rule ${cause.rule} started this task`;
  if (finding === null) {
    const block = toMaterial(from, '(it cannot be read now; the findings tool may read it later)');
    return { block, simulated: [] };
  }
  const isSimulated = finding.simulated === true;
  const text = stringifyExact(finding);
  const shown = startOf(text, LONGEST);
  const rest = text.length > shown.length ? '\n(cut here; the findings tool reads the whole)' : '';
  const warning = isSimulated ? '[SIMULATED, not real: say so where you use it]\n' : '';
  return { block: toMaterial(from, `${warning}${shown}${rest}`), simulated: isSimulated ? [cause.finding] : [] };
}

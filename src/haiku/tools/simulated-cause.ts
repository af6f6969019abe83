import type { TaskData } from '../../../queues/tasks.ts';
import { SwarmRefusedError } from '../../errors.ts';
import { parseForeignId } from '../../other-swarms/foreign-id.ts';
import type { ToolContext, ToolState } from './tool.ts';

/**
 * Notes among the simulated citations the finding of another swarm for which a rule started the task, if that is simulated. One that
 * cannot be read counts as simulated: nothing may rest on simulated work without saying so.
 */
export async function noteSimulatedCause(
  { simulated }: Pick<ToolState, 'simulated'>,
  { origin }: Pick<TaskData, 'origin'>,
  { findings }: Pick<ToolContext, 'findings'>,
): Promise<void> {
  const id = origin?.chain.at(-1)?.finding;
  if (id === undefined || parseForeignId(id) === null) return;
  const finding = await findings.get(id).catch((error: unknown) => {
    if (error instanceof SwarmRefusedError) return { simulated: true };
    throw error;
  });
  if (finding?.simulated === true) simulated.add(id);
}

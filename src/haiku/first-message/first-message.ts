import type { TaskData } from '../../../queues/tasks.ts';
import type { FirstMessage } from '../loop/types.ts';
import type { ToolContext } from '../tools/tool.ts';
import { describeEnvironment } from './environment.ts';
import { readGivenFiles } from './given-files.ts';
import type { RepositoryReader } from './repository.ts';

/**
 * Returns what the first message to the model says after the task: where and when it works, and the task's small files.
 * Whatever cannot be read is left out: the tools tell the model why.
 * @throws the signal's reason
 */
export async function buildFirstMessage(
  task: TaskData,
  context: ToolContext,
  around: { maxTurns: number; startedAt: Date; describeRepository: RepositoryReader },
): Promise<FirstMessage> {
  const [environment, given] = await Promise.all([
    describeEnvironment(context, around),
    readGivenFiles(task.files ?? [], context),
  ]);
  context.signal.throwIfAborted();
  return { tail: [environment, ...given.blocks].join('\n'), seen: given.seen };
}

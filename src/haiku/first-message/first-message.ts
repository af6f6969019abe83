import type { TaskData } from '../../../queues/tasks.ts';
import type { TreeBase } from '../../patches/task-tree/types.ts';
import type { FirstMessage } from '../loop/types.ts';
import type { ToolContext } from '../tools/tool.ts';
import { describeCause } from './cause.ts';
import { describeEnvironment } from './environment.ts';
import { readGivenFiles } from './given-files.ts';
import type { WorkspaceReader } from './shared-look.ts';

/** What a task begins with, besides its workspace. */
interface Around {
  maxTurns: number;
  startedAt: Date;
  listTopLevel: WorkspaceReader;
  describeRepository: WorkspaceReader;
  /** What the task's own tree begins from, if it is to have one. Default: the shared tree, of which nothing is said. */
  beginning?: { base?: TreeBase; said: string | null; top?: string[]; block?: string };
}

const DAY_MS = 24 * 3_600_000;

/**
 * Returns what the first message to the model says after the task: where and when it works, the finding for which a
 * rule started it, and the task's small files.
 * Whatever cannot be read is left out: the tools tell the model why.
 * @throws the signal's reason
 */
export async function buildFirstMessage(task: TaskData, context: ToolContext, around: Around): Promise<FirstMessage> {
  const cause = await describeCause(task, context);
  if (context.workspace === null) {
    const message = await describeWithoutWorkspace(context, around);
    return cause === null
      ? message
      : { ...message, tail: `${message.tail}\n${cause.block}`, simulated: cause.simulated };
  }
  const [environment, given] = await Promise.all([
    describeEnvironment(context, around),
    // A task that builds on patches has its own files, in a tree that is made for its first tool.
    readGivenFiles(around.beginning?.base?.merge === undefined ? (task.files ?? []) : [], context),
  ]);
  context.signal.throwIfAborted();
  const { base, block } = around.beginning ?? {};
  const tail = [
    environment,
    ...(cause === null ? [] : [cause.block]),
    ...(block === undefined ? [] : [block]),
    ...given.blocks,
  ].join('\n');
  return {
    tail,
    seen: given.seen,
    ...(cause === null ? {} : { simulated: cause.simulated }),
    ...(base === undefined ? {} : { base }),
  };
}

const NOTHING_SEEN = Object.freeze({});
let last: { key: string; message: FirstMessage } | null = null;

/** The same for all tasks of a day with as many turns, so it is made once. */
async function describeWithoutWorkspace(context: ToolContext, around: Around): Promise<FirstMessage> {
  const day = Math.floor(around.startedAt.getTime() / DAY_MS);
  const key = `${day} ${around.maxTurns} ${context.httpAllow.join()} ${context.otherSwarms?.join() ?? ''}`;
  if (last?.key !== key)
    last = { key, message: { tail: await describeEnvironment(context, around), seen: NOTHING_SEEN } };
  return last.message;
}

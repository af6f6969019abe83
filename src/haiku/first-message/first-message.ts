import type { TaskData } from '../../../queues/tasks.ts';
import { KEEP_ALL, redactJson, type Redact } from '../../config/redact.ts';
import type { TreeBase } from '../../patches/task-tree/types.ts';
import type { FirstMessage } from '../loop/types.ts';
import type { ToolContext } from '../tools/tool.ts';
import { describeCause, type Cause } from './cause.ts';
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
 * Whatever cannot be read is left out: the tools tell the model why. It holds no secret of `context.redact`.
 * @throws the signal's reason
 */
export async function buildFirstMessage(task: TaskData, context: ToolContext, around: Around): Promise<FirstMessage> {
  const { redact = KEEP_ALL } = context;
  const cause = task.origin === undefined ? null : await describeCause(task, context);
  if (context.workspace !== null) return redactJson(await describeWithWorkspace(task, context, around, cause), redact);
  const message =
    knownWithoutWorkspace(context, around, redact) ?? (await describeWithoutWorkspace(context, around, redact));
  if (cause === null) return message;
  return redactJson({ ...message, tail: `${message.tail}\n${cause.block}`, simulated: cause.simulated }, redact);
}

async function describeWithWorkspace(
  task: TaskData,
  context: ToolContext,
  around: Around,
  cause: Cause | null,
): Promise<FirstMessage> {
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

/** What tasks without a workspace begin with: the same for all of a day with as many turns, so it is made once. */
let last: { key: string; redact: Redact; message: FirstMessage } | null = null;

function knownWithoutWorkspace(context: ToolContext, around: Around, redact: Redact): FirstMessage | null {
  return last?.key === toKey(context, around) && last.redact === redact ? last.message : null;
}

async function describeWithoutWorkspace(context: ToolContext, around: Around, redact: Redact): Promise<FirstMessage> {
  const tail = redact(await describeEnvironment(context, around));
  last = { key: toKey(context, around), redact, message: { tail, seen: NOTHING_SEEN } };
  return last.message;
}

function toKey({ httpAllow, otherSwarms }: ToolContext, { startedAt, maxTurns }: Around): string {
  const day = Math.floor(startedAt.getTime() / DAY_MS);
  return `${day} ${maxTurns} ${httpAllow.join()} ${otherSwarms?.join() ?? ''}`;
}

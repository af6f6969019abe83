import { hostname } from 'node:os';
import type { TaskData } from '../../../queues/tasks.ts';
import { toGitAuthor } from '../../config/git-author.ts';
import type { Finding } from '../../findings/finding.ts';
import { createFindingStore } from '../../findings/store.ts';
import { resolveWorkspace } from '../../haiku/resolve-workspace.ts';
import { IsolatedWorkspace } from '../../haiku/isolation/isolated-workspace.ts';
import { isGuardedName } from '../../haiku/tools/files/secret-names.ts';
import { watchWorkspace } from '../../haiku/tools/run/workspace-snapshot.ts';
import { createToolState, type ToolContext } from '../../haiku/tools/tool.ts';
import { toWorktreesFolder } from '../../patches/task-tree/places.ts';
import { toIdentity } from '../record.ts';
import { requireMine } from '../standing.ts';
import type { LeaseRef } from '../types.ts';
import type { ExecParts } from './types.ts';

/** Where a program does one task. */
export interface TaskFolder {
  /** Null: the task names no workspace. */
  root: string | null;
  /** Commits what it changed in a tree of its own, as the patch of the task; in the shared tree lists what changed. */
  finish(): Promise<Pick<Finding, 'changes' | 'patch'>>;
  /** Removes what is not needed any more. It comes after the finding. */
  close(): Promise<void>;
}

const NOWHERE: TaskFolder = { root: null, finish: async () => ({ changes: [] }), close: async () => undefined };

/**
 * Opens the folder of a task: a working tree of its own, as a worker of the fleet gets one when it writes; or the workspace itself.
 * @throws TaskFailedError `workspace`, `conflict`; the signal's reason
 */
export async function openTaskFolder(
  parts: ExecParts,
  task: TaskData,
  { taskId, lease }: LeaseRef,
  signal: AbortSignal,
): Promise<TaskFolder> {
  const { db, config, queues } = parts;
  const shared = await resolveWorkspace(task.workspace, config.FLEET_WORKSPACES);
  if (shared === null) return NOWHERE;
  const swarm = config.FLEET_SWARM;
  const workspace = new IsolatedWorkspace({
    shared,
    task,
    identity: await toIdentity(parts, { task, taskId, lease }),
    db,
    settings: {
      worktrees: toWorktreesFolder(config.dataFolder, swarm ?? null),
      links: config.FLEET_WORKTREE_LINKS,
      author: toGitAuthor(config.FLEET_GIT_AUTHOR),
      isGuarded: isGuardedName,
    },
    swarm: swarm ?? 'fleet',
    host: hostname(),
    now: () => db.clock.date(),
    note: async (line) => (await queues.tasks.getJob(taskId))?.log(line),
  });
  const context: ToolContext = {
    workspace,
    files: task.files ?? [],
    state: createToolState(),
    signal,
    findings: createFindingStore(db),
    runAllow: [],
    httpAllow: [],
    redisHosts: () => [],
    stillMine: async () => void (await requireMine(db, taskId, lease)),
  };
  await workspace.begin((await workspace.propose(signal)).base, signal);
  await workspace.prepareWrite(context);
  if (!workspace.hasTree) {
    const changed = await watchWorkspace(shared.root);
    return { ...NOWHERE, root: shared.root, finish: async () => ({ changes: (await changed()).changes }) };
  }
  return {
    root: workspace.root,
    finish: async () => (await workspace.finish({ nanoUsd: null }, context)) ?? { changes: [] },
    close: () => workspace.close(),
  };
}

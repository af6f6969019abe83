import { hostname } from 'node:os';
import { toFindingId } from '../../../src/findings/finding.ts';
import { findRepository, isRepository, type Repository } from '../../../src/git/repository.ts';
import { finishTree } from '../../../src/patches/commit/finish-tree.ts';
import type { PatchHost } from '../../../src/patches/patch-host.ts';
import { makeTree } from '../../../src/patches/task-tree/make-tree.ts';
import { toTreeFolder, toWorktreesFolder } from '../../../src/patches/task-tree/places.ts';
import type { TaskTree } from '../../../src/patches/task-tree/types.ts';
import type { PatchRecord } from '../../../src/patches/types.ts';
import type { PersonRepository } from './person-repository.ts';

const { signal } = new AbortController();

async function openRepository(root: string): Promise<Repository> {
  const found = await findRepository(root, root, signal);
  if (!isRepository(found)) throw new Error(JSON.stringify(found));
  return found;
}

/** Makes a task's tree as a worker does, on the host of the test. */
export async function makeTaskTree(host: PatchHost, person: PersonRepository, taskId: string): Promise<TaskTree> {
  const worktrees = toWorktreesFolder(host.dataFolder, host.swarm);
  const owner = {
    taskId,
    findingId: toFindingId(taskId),
    workspace: 'site',
    repository: await openRepository(person.root),
    swarm: host.swarm ?? 'fleet',
    host: hostname(),
    isRebuilding: false,
  };
  const base = { tree: 'aa', commit: person.git('rev-parse', 'HEAD'), buildsOn: [] };
  return await makeTree(toTreeFolder(worktrees, taskId, 'aa'), base, owner, { ...host, worktrees }, signal);
}

/** Ends a task's work in its tree as a worker does: commit, branch, record and text. */
export async function finishTaskTree(
  host: PatchHost,
  person: PersonRepository,
  tree: TaskTree,
  facts: { batch?: string } = {},
): Promise<PatchRecord> {
  const { task } = tree.info;
  const rules = { files: [], toolsWrote: [], isGuarded: host.isGuarded };
  const { record } = await finishTree(
    host.db,
    tree,
    await openRepository(person.root),
    rules,
    {
      message: `Do ${task}\n\nFleet-Task: ${task}\n`,
      author: host.author,
      toMessage: (own) => own,
      batch: facts.batch ?? null,
      missionId: null,
      now: new Date(),
      stillMine: async () => undefined,
    },
    signal,
  );
  return record;
}

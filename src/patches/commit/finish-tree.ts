import type { GitAuthor } from '../../config/git-author.ts';
import type { Finding } from '../../findings/finding.ts';
import { createTreeGit } from '../task-tree/tree-git.ts';
import type { Repository } from '../../git/repository.ts';
import type { Db } from '../../redis/db.ts';
import { storePatch } from '../record.ts';
import type { PatchRecord } from '../types.ts';
import { deleteBranch, moveBranch } from '../task-tree/branch.ts';
import type { PathRules } from './changed-paths.ts';
import { commitTree } from './commit-tree.ts';
import { describeDiff } from './describe-diff.ts';
import { removeTree } from '../task-tree/remove-tree.ts';
import { writeTreeInfo } from '../task-tree/tree-info.ts';
import type { TaskTree } from '../task-tree/types.ts';

/** Files that a finding names: more would make it too large for a prompt. The patch's record names all. */
const MOST_NAMED = 1_000;

export interface PatchFacts {
  /** Whole message of the commit, with trailers. */
  message: string;
  author: GitAuthor;
  /** Completes the message of a commit that the task made itself. */
  toMessage(own: string): string;
  batch: string | null;
  missionId: string | null;
  now: Date;
  /** Throws if another process has the task now. Called before each effect outside of the tree. */
  stillMine(): Promise<void>;
}

/** What a finding says of its task's tree. */
export interface FinishedTree {
  patch: NonNullable<Finding['patch']>;
  changes: Finding['changes'];
  record: PatchRecord;
}

/**
 * Commits what a task left in its tree, moves its branch there, and stores the patch: before its finding is recorded, so that no
 * finding names a patch that is not there. A run that does it again stores the same changes.
 * @throws GitError, a system error; what `stillMine` throws
 */
export async function finishTree(
  db: Db,
  tree: TaskTree,
  repository: Repository,
  rules: PathRules,
  facts: PatchFacts,
  signal: AbortSignal,
): Promise<FinishedTree> {
  const { info } = tree;
  const { message, author, stillMine } = facts;
  const { head, leftOut, ownMessage } = await commitTree(tree, repository, rules, { message, author }, signal);
  const git = await createTreeGit(tree, repository, signal);
  const { changes, text } = await describeDiff(git, info.base, head);
  await stillMine();
  if (head !== info.base && info.heads.at(-1) !== head) {
    info.heads.push(head);
    await writeTreeInfo(tree.folder, info); // before the branch: a run that follows must know the branch as the task's
  }
  const branch = await moveBranch(repository, info, head, signal);
  if (branch !== info.branch) {
    info.branch = branch;
    await writeTreeInfo(tree.folder, info);
  }
  const sum = (count: 'added' | 'removed'): number => changes.reduce((total, change) => total + change[count], 0);
  const state = head === info.base ? 'empty' : 'pending';
  const numbers = { base: info.base, head, added: sum('added'), removed: sum('removed'), state } as const;
  const record: PatchRecord = {
    ...numbers,
    findingId: info.finding,
    taskId: info.task,
    workspace: info.workspace,
    host: info.host,
    branch,
    message: ownMessage === null ? message : facts.toMessage(ownMessage),
    author: `${author.name} <${author.email}>`,
    changes,
    leftOut,
    buildsOn: info.buildsOn,
    ...(info.carries.length === 0 ? {} : { carries: info.carries }),
    batch: facts.batch,
    missionId: facts.missionId,
    createdAt: facts.now.toISOString(),
    applied: null,
    undone: null,
    conflict: null,
  };
  await stillMine();
  await storePatch(db, record, text ?? Buffer.alloc(0));
  const { base, added, removed } = numbers;
  const patch = { base, head, files: changes.length, added, removed, state } as const;
  return { patch, changes: changes.slice(0, MOST_NAMED), record };
}

/**
 * Removes the tree and the branch of a task that changed nothing, once its finding is recorded. A tree with something that its
 * patch leaves out stays.
 */
export async function removeIfEmpty(
  { record }: Pick<FinishedTree, 'record'>,
  tree: TaskTree,
  repository: Repository,
  signal: AbortSignal,
): Promise<void> {
  if (record.state !== 'empty' || record.leftOut.length > 0) return;
  await removeTree(tree);
  await deleteBranch(repository, record.branch, record.base, signal);
}

import { TaskFailedError } from '../../errors.ts';
import { GitError } from '../../git/git.ts';
import { findMarked } from '../../patches/merge/markers.ts';
import { MergeError } from '../../patches/merge/merge-error.ts';
import type { TaskTree, TreeBase } from '../../patches/task-tree/types.ts';

const MOST_NAMED = 20;

/**
 * Checks at a task's end that it has resolved the conflicts that its tree began with.
 * @param tree null: the task has none yet, so it has resolved nothing
 * @throws TaskFailedError `conflict`, which names patches and files
 */
export async function requireResolved(base: TreeBase | null, tree: Pick<TaskTree, 'root'> | null): Promise<void> {
  const marked = await findUnresolved(base, tree);
  if (base !== null && marked.length > 0) throw toFailure(base, `the task left the markers in ${toNames(marked)}`);
}

/**
 * What a task that failed with this error failed for: one that has not resolved its conflicts failed for these, whatever the
 * worker says. They are the person's now.
 */
export async function toConflictFailure(
  error: unknown,
  base: TreeBase | null,
  tree: Pick<TaskTree, 'root'> | null,
): Promise<unknown> {
  if (!(error instanceof TaskFailedError) || error.reason === 'conflict' || base === null) return error;
  if (!OWN_REASONS.has(error.reason)) return error;
  const marked = await findUnresolved(base, tree);
  if (marked.length === 0) return error;
  return toFailure(
    base,
    `${toNames(marked)} is not resolved; the task failed (${error.reason}: ${error.message})`,
    error,
  );
}

/** @returns the error of a task whose patches cannot be merged; any other error as it is */
export function toMergeFailure(error: unknown): unknown {
  if (error instanceof GitError) {
    return new TaskFailedError('workspace', `the patches on which the task builds cannot be merged: ${error.message}`, {
      cause: error,
    });
  }
  if (!(error instanceof MergeError)) return error;
  const { reason, message } = error;
  return new TaskFailedError(reason === 'conflict' ? 'conflict' : 'workspace', message, { cause: error });
}

/** Failures of the worker's own, which are no failures of its host or of the provider. */
const OWN_REASONS = new Set(['refusal', 'step-limit', 'malformed', 'schema', 'tool', 'handed-back', 'too-long']);

async function findUnresolved(base: TreeBase | null, tree: Pick<TaskTree, 'root'> | null): Promise<string[]> {
  const conflicts = base?.merge?.conflicts ?? [];
  if (tree !== null) return await findMarked(tree.root, conflicts);
  return [...new Set(conflicts.flatMap(({ paths }) => paths.map(({ path }) => path)))];
}

function toFailure({ merge }: TreeBase, what: string, cause?: Error): TaskFailedError {
  const ids = merge?.conflicts.map(({ findingId }) => findingId) ?? [];
  return new TaskFailedError(
    'conflict',
    `${ids.length === 1 ? 'the patch' : 'the patches'} ${toNames(ids)} on which it builds ${ids.length === 1 ? 'does' : 'do'} not fit beside the others: ${what}. ` +
      `See fleet diff ${ids[0] ?? 'ID'}; apply or discard it, then retry the task`,
    cause === undefined ? {} : { cause },
  );
}

function toNames(names: readonly string[]): string {
  const rest = names.length - MOST_NAMED;
  return [...names.slice(0, MOST_NAMED), ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
}

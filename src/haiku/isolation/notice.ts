import { join } from 'node:path';
import { toSha256OrNull } from '../../patches/task-tree/filtered-files.ts';
import type { TaskTree } from '../../patches/task-tree/types.ts';
import { toOneLine } from '../../text/one-line.ts';

const MOST_NAMES = 20;
const LONGEST_NAME = 200;

/**
 * Tells the model what it must know of its new tree.
 * @param seen workspace path → sha256 of the files that the task has read
 */
export async function describeTree(tree: TaskTree, seen: ReadonlyMap<string, string>): Promise<string> {
  const { base, branch, links, submodules } = tree.info;
  const other: string[] = [];
  for (const [path, sha256] of seen) {
    if ((await toSha256OrNull(join(tree.root, path))) !== sha256) other.push(path);
  }
  const lines = [
    `You now work in a tree of your own, on branch ${branch}, made from commit ${base.slice(0, 7)}. Files that git ignores are not in it.`,
    ...(links.length > 0 ? [`Linked from the person's tree, do not change them: ${toNames(links)}.`] : []),
    ...(submodules.length > 0 ? [`Submodules are not included: ${toNames(submodules)}.`] : []),
    ...(other.length > 0 ? [`Not as you read them, read them again before you use them: ${toNames(other)}.`] : []),
  ];
  return `[${lines.join('\n')}]`;
}

function toNames(paths: readonly string[]): string {
  const rest = paths.length - MOST_NAMES;
  const names = paths.slice(0, MOST_NAMES).map((path) => toOneLine(path, LONGEST_NAME));
  return [...names, ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ');
}

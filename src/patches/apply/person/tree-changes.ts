import { mustGit, type Git } from '../../../git/git.ts';
import { splitNul, type BytePath } from './byte-path.ts';

/** What a tree or an index holds under a path. */
export interface TreeEntry {
  /** As git writes it: `100644`, `100755`, `120000` (link), `160000` (submodule). */
  mode: string;
  oid: string;
}

/** One path that differs between two trees. Null: it is not there. */
export interface TreeChange {
  path: BytePath;
  old: TreeEntry | null;
  next: TreeEntry | null;
}

export const SUBMODULE = '160000';

/** Lists the paths that differ between two commits or trees. A rename is a deletion and an addition. @throws GitError */
export async function listTreeChanges(git: Git, from: string, to: string): Promise<TreeChange[]> {
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-abbrev', '--no-renames', '--ignore-submodules=none', from, to];
  const items = splitNul(await mustGit(git, args));
  const changes: TreeChange[] = [];
  for (let at = 0; at + 1 < items.length; at += 2) {
    const [oldMode = '', nextMode = '', oldId = '', nextId = ''] = (items[at] ?? '').slice(1).split(' ');
    changes.push({ path: items[at + 1] ?? '', old: toEntry(oldMode, oldId), next: toEntry(nextMode, nextId) });
  }
  return changes;
}

function toEntry(mode: string, oid: string): TreeEntry | null {
  return mode === '000000' ? null : { mode, oid };
}

export function isSameEntry(one: TreeEntry | null, other: TreeEntry | null): boolean {
  return one?.mode === other?.mode && one?.oid === other?.oid;
}

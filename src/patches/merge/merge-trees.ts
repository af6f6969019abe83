import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askGit, GitError, mustGit, type Git } from '../../git/git.ts';
import { toMarkerLabels } from './markers.ts';
import type { ConflictPath } from './types.ts';

/** The trees between which a patch is the difference. */
export interface PatchTrees {
  base: string;
  head: string;
}

export interface MergedTrees {
  /** Id of the tree, with markers where both sides changed the same lines. */
  tree: string;
  conflicts: ConflictPath[];
  /** Conflicts that leave nothing a worker can mend. Empty: none. */
  hopeless: { path: string; why: string }[];
}

/** Conflicts that a worker can mend with its tools, as git calls them. */
const MENDABLE: Record<string, ConflictPath['kind']> = {
  'CONFLICT (contents)': 'lines',
  'CONFLICT (modify/delete)': 'deleted',
  'CONFLICT (rename/delete)': 'deleted',
};
const REGULAR = /^100/;

/** Who wrote a commit that only a merge needs, and when: always the same, so that the same merge makes the same objects. */
export const FIXED_IDENTITY = {
  GIT_AUTHOR_NAME: 'haiku-fleet',
  GIT_AUTHOR_EMAIL: 'worker@haiku-fleet.invalid',
  GIT_AUTHOR_DATE: '2000-01-01T00:00:00Z',
  GIT_COMMITTER_NAME: 'haiku-fleet',
  GIT_COMMITTER_EMAIL: 'worker@haiku-fleet.invalid',
  GIT_COMMITTER_DATE: '2000-01-01T00:00:00Z',
} as const;

/**
 * Merges a patch into a tree, with the patch's own base as what both come from. No working tree is touched.
 * @param git in a private git directory: it gets two branches, whose names the markers show
 * @param gitDir absolute path of this directory
 * @param tree id of the tree so far
 * @returns null: this git is older than 2.38 and cannot do it
 * @throws GitError
 */
export async function mergeTrees(
  git: Git,
  gitDir: string,
  tree: string,
  patch: PatchTrees,
  findingId: string,
): Promise<MergedTrees | null> {
  if (tree === patch.base) return { tree: patch.head, conflicts: [], hopeless: [] };
  if (patch.base === patch.head || tree === patch.head) return { tree, conflicts: [], hopeless: [] };
  const base = await wrap(git, patch.base);
  const labels = toMarkerLabels(findingId);
  for (const [label, content] of [
    [labels.before, tree],
    [labels.patch, patch.head],
  ] as const) {
    await writeFile(join(gitDir, 'refs', 'heads', label), `${await wrap(git, content, base)}\n`);
  }
  const { code, stdout, output } = await git(['merge-tree', '--write-tree', '-z', labels.before, labels.patch]);
  if (code === 129 || /usage: git merge-tree/.test(output)) return null;
  if ((code !== 0 && code !== 1) || stdout === null) throw new GitError(`git merge-tree: exit code ${code}: ${output}`);
  return parse(stdout.toString('utf8'));
}

/** Makes a tree a commit, as merges need. */
async function wrap(git: Git, tree: string, parent?: string): Promise<string> {
  const parents = parent === undefined ? [] : ['-p', parent];
  return await askGit(git, ['commit-tree', tree, ...parents, '-m', 'side'], { env: FIXED_IDENTITY });
}

/** Reads `<tree> NUL (<mode> <id> <stage> TAB <path> NUL)* NUL (<count> NUL (<path> NUL)+ <type> NUL <message> NUL)*`. */
function parse(output: string): MergedTrees {
  const items = output.split('\0');
  const merged: MergedTrees = { tree: items[0] ?? '', conflicts: [], hopeless: [] };
  const odd = new Set<string>(); // paths of which one side is no regular file
  let i = 1;
  for (; i < items.length && items[i] !== ''; i += 1) {
    const item = items[i] ?? '';
    if (!REGULAR.test(item)) odd.add(item.slice(item.indexOf('\t') + 1));
  }
  const kinds = new Map<string, ConflictPath['kind']>();
  for (i += 1; i + 2 < items.length;) {
    const count = Number(items[i]);
    const paths = items.slice(i + 1, i + 1 + count);
    const [type = '', message = ''] = items.slice(i + 1 + count, i + 3 + count);
    i += 3 + count;
    if (!type.startsWith('CONFLICT')) continue;
    const path = paths[0] ?? '';
    const kind = MENDABLE[type];
    if (kind === undefined || odd.has(path)) merged.hopeless.push({ path, why: message.trim() });
    else kinds.set(path, kind);
  }
  merged.conflicts = [...kinds].map(([path, kind]) => ({ path, kind }));
  return merged;
}

/**
 * Applies the text of a patch to a tree, merging where the blobs that it names are here. For gits older than 2.38, and for
 * patches whose commits are not here.
 * @param git with an index of its own
 */
export async function applyText(git: Git, tree: string, text: Buffer): Promise<MergedTrees> {
  await mustGit(git, ['read-tree', tree]);
  const { code, output } = await git(['apply', '--cached', '--3way', '--whitespace=nowarn', '-'], { input: text });
  if (code === 0) return { tree: await askGit(git, ['write-tree']), conflicts: [], hopeless: [] };
  const why = output.split('\n').find((line) => line.startsWith('error: ')) ?? 'its text does not fit';
  const listed = await mustGit(git, ['ls-files', '-u', '-z']);
  const paths = listed
    .toString('utf8')
    .split('\0')
    .map((line) => line.slice(line.indexOf('\t') + 1))
    .filter(Boolean);
  const hopeless = [...new Set(paths)].map((path) => ({ path, why: 'both sides changed the same lines' }));
  return { tree, conflicts: [], hopeless: hopeless.length > 0 ? hopeless : [{ path: '', why }] };
}

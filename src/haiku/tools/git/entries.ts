import { createGit, listGit, mustGit, type Git } from '../../../git/git.ts';
import type { Repository } from '../../../git/repository.ts';

/** Reads entries of an index or a tree. @returns path → `<mode> <object id>`; a path that is not there is left out */
export async function readEntries(git: Git, top: string, paths: readonly string[]): Promise<Map<string, string>> {
  return toEntries(await listGit(git, ['-C', top, '--literal-pathspecs', 'ls-files', '-z', '--stage', '--', ...paths]));
}

/** As `readEntries`, of a commit. */
export async function readTreeEntries(
  git: Git,
  commit: string,
  paths: readonly string[],
): Promise<Map<string, string>> {
  const lines = await listGit(git, [
    '--literal-pathspecs',
    'ls-tree',
    '-z',
    '--full-tree',
    '-r',
    commit,
    '--',
    ...paths,
  ]);
  return toEntries(lines.map((line) => line.replace(/^(\d+) \w+ /, '$1 ')));
}

function toEntries(lines: readonly string[]): Map<string, string> {
  return new Map(
    lines.map((line) => {
      const tab = line.indexOf('\t');
      const [mode = '', id = ''] = line.slice(0, tab).split(' ');
      return [line.slice(tab + 1), `${mode} ${id}`] as const;
    }),
  );
}

/** Puts entries into an index. @param entries path → `<mode> <object id>`; '' removes the path */
export async function putEntries(git: Git, entries: Iterable<readonly [string, string]>): Promise<void> {
  const lines = [...entries].map(([path, entry]) => `${entry === '' ? `0 ${'0'.repeat(40)}` : entry}\t${path}\0`);
  if (lines.length > 0) await mustGit(git, ['update-index', '-z', '--index-info'], { input: lines.join('') });
}

/**
 * Brings the person's index up to a commit that a task made in the shared tree, so that the committed paths do not look
 * staged backwards. A path that the person has staged otherwise is left alone.
 * @param gitDir private git directory
 */
export async function updateTheirIndex(
  repository: Repository,
  gitDir: string,
  { paths, from, to }: { paths: readonly string[]; from: string | null; to: string },
  signal: AbortSignal,
): Promise<void> {
  const { top: workTree, indexFile, objects, root, top } = repository;
  const git = await createGit({ gitDir, workTree, indexFile, objects }, root, signal);
  const before = from === null ? new Map<string, string>() : await readTreeEntries(git, from, paths);
  const [after, now] = [await readTreeEntries(git, to, paths), await readEntries(git, top, paths)];
  const untouched = paths.filter((path) => now.get(path) === before.get(path));
  await putEntries(
    git,
    untouched.map((path) => [path, after.get(path) ?? ''] as const),
  );
}

import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { createGit, type Git } from './git.ts';

/** A repository of the person's, found without reading any of its settings but the copied ones. All paths are real paths. */
export interface Repository {
  /** Folder of the working tree: where `.git` lies. */
  top: string;
  /** Git directory of the working tree. */
  gitDir: string;
  /** Git directory that its working trees share: refs, objects, configuration. */
  commonDir: string;
  objects: string;
  /** Index of the working tree. It may not exist. */
  indexFile: string;
  /** Settings that decide how files and objects look; none of them can start a program. */
  settings: Readonly<Record<string, string>>;
  /** The workspace's real path; everything above lies in it. */
  root: string;
}

/** Why a repository cannot be used, in words for a person or model. */
export interface RepositoryProblem {
  problem: string;
}

/** Settings that a private git directory takes over. Keys as `git config --list` writes them. */
const COPIED = new Set([
  'core.autocrlf',
  'core.eol',
  'core.safecrlf',
  'core.symlinks',
  'core.filemode',
  'core.ignorecase',
  'core.precomposeunicode',
  'core.bigfilethreshold',
  'extensions.objectformat',
]);
const PIPE = 'a part of the repository is a pipe or a device; it cannot be used';
const OUTSIDE = 'the repository, or a part of it, lies outside the workspace; it cannot be used';

/**
 * Finds the repository of a folder, at the folder or above it, within the workspace.
 * @param folder real path in the workspace
 * @param root real path of the workspace
 * @returns null: there is none
 * @throws GitError if git is not installed; the abort reason
 */
export async function findRepository(
  folder: string,
  root: string,
  signal: AbortSignal,
): Promise<Repository | RepositoryProblem | null> {
  for (let top = folder; ; top = dirname(top)) {
    const found = await findGitDir(top);
    if (found !== null) return await openRepository(top, found, root, signal);
    if (top === root || top === dirname(top)) return null;
  }
}

/** Whether the result of `findRepository` is a repository that can be used. */
export function isRepository(found: Repository | RepositoryProblem | null): found is Repository {
  return found !== null && 'gitDir' in found;
}

/** A git that may only run plumbing which no configuration can turn into a program: rev-parse, for-each-ref, update-ref. */
export async function createPlumbing(
  repository: Pick<Repository, 'gitDir' | 'root'>,
  signal: AbortSignal,
): Promise<Git> {
  return await createGit({ gitDir: repository.gitDir, workTree: null }, repository.root, signal);
}

/** @returns path that `.git` names; null: there is no `.git`, or it is neither a folder nor a file of git */
async function findGitDir(top: string): Promise<string | null> {
  const path = join(top, '.git');
  const stats = await lstat(path).catch(() => null);
  if (stats === null) return null;
  if (!stats.isFile()) return path;
  const named = /^gitdir: (.+)$/m.exec(await readFile(path, 'utf8'))?.[1];
  return named === undefined ? null : resolve(top, named);
}

async function openRepository(
  top: string,
  path: string,
  root: string,
  signal: AbortSignal,
): Promise<Repository | RepositoryProblem> {
  const isInside = (real: string | null): real is string =>
    real !== null && (real === root || real.startsWith(root + sep));
  const gitDir = await toReal(path);
  if (!isInside(gitDir)) return { problem: OUTSIDE };
  if (await isPipe(join(gitDir, 'commondir'))) return { problem: PIPE };
  const named = await readFile(join(gitDir, 'commondir'), 'utf8').catch(() => null);
  const commonDir = named === null ? gitDir : await toReal(resolve(gitDir, named.trim()));
  if (!isInside(commonDir)) return { problem: OUTSIDE };
  const objects = join(commonDir, 'objects');
  for (const part of await listParts(gitDir, commonDir)) {
    if (!isInside(await toReal(part))) return { problem: OUTSIDE };
    if (await isPipe(part)) return { problem: PIPE };
  }
  if (await borrowsObjects(objects)) {
    return { problem: 'the repository borrows objects of another one (objects/info/alternates); it cannot be used' };
  }
  const all = await readSettings(gitDir, root, signal);
  if (all === null) return { problem: 'the repository configuration cannot be read' };
  const workTree = all['core.worktree'];
  if (workTree !== undefined && (await toReal(resolve(gitDir, workTree))) !== top) return { problem: OUTSIDE };
  const storage = all['extensions.refstorage'] ?? 'files';
  if (storage !== 'files') return { problem: `the repository keeps its refs as ${storage}, which is not supported` };
  const settings = Object.fromEntries(Object.entries(all).filter(([key]) => COPIED.has(key)));
  return { top, gitDir, commonDir, objects, indexFile: join(gitDir, 'index'), settings, root };
}

/** Whether a part is a pipe or a device, whose reading would not end. */
async function isPipe(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => null);
  return stats !== null && !stats.isFile() && !stats.isDirectory();
}

/** Parts of a repository that a link could lead into another one. A part that does not exist is left out. */
async function listParts(gitDir: string, commonDir: string): Promise<string[]> {
  const objects = join(commonDir, 'objects');
  const fixed = ['HEAD', 'index', 'shallow'].map((name) => join(gitDir, name));
  const shared = [
    'packed-refs',
    'refs',
    'refs/heads',
    'refs/tags',
    'objects',
    'config',
    'info',
    'info/attributes',
    'info/exclude',
    'objects/info/alternates',
  ];
  const linked = [];
  for (const folder of [objects, join(objects, 'pack'), join(objects, 'info'), join(commonDir, 'refs/heads')]) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    linked.push(...entries.filter((entry) => entry.isSymbolicLink()).map((entry) => join(folder, entry.name)));
  }
  const parts = [...fixed, ...shared.map((name) => join(commonDir, name)), ...linked];
  const kept = await Promise.all(
    parts.map(async (part) => ((await lstat(part).catch(() => null)) === null ? null : part)),
  );
  return kept.filter((part) => part !== null);
}

async function borrowsObjects(objects: string): Promise<boolean> {
  const text = await readFile(join(objects, 'info', 'alternates'), 'utf8').catch(() => '');
  return text.split('\n').some((line) => line.trim() !== '' && !line.startsWith('#'));
}

/** Reads all settings without following includes. They are names and values only: nothing acts on them. */
async function readSettings(gitDir: string, root: string, signal: AbortSignal): Promise<Record<string, string> | null> {
  const git = await createPlumbing({ gitDir, root }, signal);
  const { code, stdout } = await git(['config', '--list', '--local', '--no-includes', '-z']);
  if (code !== 0 || stdout === null) return null;
  const pairs = stdout
    .toString('utf8')
    .split('\0')
    .filter(Boolean)
    .map((pair): [string, string] => {
      const end = pair.indexOf('\n');
      return end < 0 ? [pair, 'true'] : [pair.slice(0, end), pair.slice(end + 1)];
    });
  return Object.fromEntries(pairs);
}

async function toReal(path: string): Promise<string | null> {
  return await realpath(path).catch(() => null);
}

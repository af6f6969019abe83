import { lstat, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listGit, mustGit, type Git } from '../../git/git.ts';
import { READ_ONLY } from '../../git/settings.ts';
import { findFiltered, toFilterReason, toSha256OrNull } from '../task-tree/filtered-files.ts';
import type { LeftOut, TaskTree } from '../task-tree/types.ts';

/** Largest file that a patch holds. Bytes. */
const LARGEST = 50 * 1024 * 1024;
/** Paths that are named as left out. */
const MOST_NAMED = 500;
/** Said of a path that holds what the base holds there. */
const SAME = '';
const NOTHING = { code: 0, stdout: null };

export interface ChangedPaths {
  /** New or changed files and links. Some may turn out to be equal to the base. */
  written: string[];
  deleted: string[];
  leftOut: LeftOut[];
}

/** What decides about paths besides git. */
export interface PathRules {
  /** Files that the task lists: a guarded name does not leave them out. */
  files: readonly string[];
  /** Files that the task's tools wrote. One of them that git ignores is named as left out. */
  toolsWrote: readonly string[];
  isGuarded(path: string): boolean;
}

/**
 * Finds what a tree holds that its base does not, by the working tree: whatever the task staged or committed meanwhile, and
 * whatever program wrote it.
 * @param own git on the tree's own index
 * @param beside git on a copy of the index that the checkout left, see `copyIndex`
 */
export async function findChangedPaths(
  tree: TaskTree,
  { own, beside }: { own: Git; beside: Git },
  rules: PathRules,
): Promise<ChangedPaths> {
  const [changed, untracked, added] = await Promise.all([
    listChanged(beside),
    listGit(beside, ['ls-files', '--others', '--exclude-standard', '-z'], { env: READ_ONLY }),
    listAdded(own, beside, tree),
  ]);
  const found: Found = {
    deleted: new Set(changed.deleted),
    written: new Set([...changed.written, ...untracked, ...added]),
    leftOut: new Map(),
  };
  const unseen = rules.toolsWrote.filter((path) => !found.written.has(path) && !found.deleted.has(path));
  for (const path of await listIgnored(beside, unseen)) found.leftOut.set(path, 'git ignores it');
  const sifted = await sift(found, tree, own, rules);
  const written = new Set(sifted.written);
  const untouched = await findUntouched(
    beside,
    tree,
    changed.written.filter((path) => written.has(path)),
  );
  return { ...sifted, written: sifted.written.filter((path) => !untouched.has(path)) };
}

async function listChanged(git: Git): Promise<{ written: string[]; deleted: string[] }> {
  const items = await listGit(git, ['diff-files', '--raw', '-z', '--no-renames', '--ignore-submodules=all'], {
    env: READ_ONLY,
  });
  const [written, deleted]: [string[], string[]] = [[], []];
  for (let i = 0; i + 1 < items.length; i += 2) {
    const path = items[i + 1] ?? '';
    if (items[i]?.endsWith(' D') === true) deleted.push(path);
    else written.push(path);
  }
  return { written, deleted };
}

/** Paths that the task itself staged or committed, though git ignores them. */
async function listAdded(own: Git, beside: Git, { gitDir, info: { base } }: TaskTree): Promise<string[]> {
  const names = ['--name-only', '-z', '--no-renames', '--diff-filter=A'];
  const head = await readOwnHead(gitDir); // before the first process starts: nothing would wait for its failure meanwhile
  const [staged, committed] = await Promise.all([
    own(['diff-index', '--cached', ...names, base, '--']),
    head === base ? NOTHING : own(['diff-tree', '-r', ...names, base, 'HEAD', '--']),
  ]);
  const listed = [staged, committed].flatMap(({ code, stdout }) =>
    code === 0 && stdout !== null ? stdout.toString('utf8').split('\0').slice(0, -1) : [],
  );
  if (listed.length === 0) return [];
  const known = new Set(await listGit(beside, ['ls-files', '-z']));
  return [...new Set(listed)].filter((path) => !known.has(path));
}

/** The commit that the task's branch is at, without a process. @returns null: HEAD is something else */
export async function readOwnHead(gitDir: string): Promise<string | null> {
  const head = await readFile(join(gitDir, 'HEAD'), 'utf8').catch(() => '');
  const name = /^ref: (refs\/heads\/\S+)\n$/.exec(head)?.[1];
  const text = name === undefined ? '' : await readFile(join(gitDir, name), 'utf8').catch(() => '');
  return /^[0-9a-f]{40,64}\n$/.test(text) ? text.trim() : null;
}

async function listIgnored(git: Git, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const { code, stdout } = await git(['check-ignore', '-z', '--stdin'], {
    input: paths.map((path) => `${path}\0`).join(''),
  });
  return code === 0 && stdout !== null ? stdout.toString('utf8').split('\0').slice(0, -1) : [];
}

interface Found {
  written: Set<string>;
  deleted: Set<string>;
  leftOut: Map<string, string>;
}

async function sift(found: Found, tree: TaskTree, git: Git, rules: PathRules): Promise<ChangedPaths> {
  const { filtered, submodules } = tree.info;
  const filters = new Map(filtered.map((file) => [file.path, file]));
  // The task could have written attributes of its own.
  const now = mayHave(tree, found.written) ? await findFiltered(git, [...found.written]) : [];
  const drivers = new Map(now.map(({ path, driver }) => [path, driver]));
  const judge = async (path: string, isDeleted: boolean): Promise<string | null> => {
    const filter = filters.get(path);
    if (filter !== undefined) {
      const sha256 = await toSha256OrNull(join(tree.root, path));
      return sha256 === filter.sha256 ? SAME : toFilterReason(filter.driver);
    }
    const driver = drivers.get(path);
    if (driver !== undefined) return toFilterReason(driver);
    if (path.includes('\uFFFD')) return 'its name is not UTF-8';
    if (/(^|\/)(\.git|git~1)(\/|$)/i.test(path)) return 'it is named like a part of git';
    if (rules.isGuarded(path) && !rules.files.includes(path)) return 'it is named like a file of secrets';
    if (submodules.some((name) => path === name || path.startsWith(`${name}/`))) return 'it lies in a submodule';
    return isDeleted ? null : await judgeFile(tree.root, path);
  };
  const kept: ChangedPaths = { written: [], deleted: [], leftOut: [] };
  for (const [path, isDeleted] of [
    ...[...found.deleted].map((each) => [each, true] as const),
    ...[...found.written].map((each) => [each, false] as const),
  ]) {
    const reason = await judge(path, isDeleted);
    if (reason === null) (isDeleted ? kept.deleted : kept.written).push(path);
    else if (reason !== SAME) found.leftOut.set(path, reason);
  }
  kept.leftOut = toNamed(found.leftOut);
  return kept;
}

function mayHave({ info }: TaskTree, written: ReadonlySet<string>): boolean {
  return info.mayConvert || [...written].some((path) => /(^|\/)\.gitattributes$/.test(path));
}

async function judgeFile(root: string, path: string): Promise<string | null> {
  if (path.endsWith('/')) return 'it is a repository of its own';
  if (/(^|\/)node_modules\//.test(path)) return 'it is an installed package';
  const stats = await lstat(join(root, path)).catch(() => null);
  if (stats === null) return SAME; // staged or committed, and removed again
  if (!stats.isFile() && !stats.isSymbolicLink()) return 'it is neither a file nor a link';
  return stats.size > LARGEST ? `it has more than ${LARGEST / 1024 / 1024} MiB` : null;
}

/** Whether a path that is left out stands for installed packages, which can be installed again. */
export function isPackages(path: string): boolean {
  return /(^|\/)node_modules$/.test(path);
}

/** Of installed packages only their folder is named. */
function toNamed(leftOut: Map<string, string>): LeftOut[] {
  const named = new Map<string, string>();
  for (const [path, why] of leftOut) named.set(path.replace(/(^|\/)node_modules\/.*$/s, '$1node_modules'), why);
  return [...named].slice(0, MOST_NAMED).map(([path, why]) => ({ path, why }));
}

/**
 * Finds files that hold what a checkout of the base writes there, though git takes them for changed: attributes can ask for
 * other line endings than the base has, and that is no change of the task's.
 */
async function findUntouched(git: Git, tree: TaskTree, paths: readonly string[]): Promise<Set<string>> {
  const untouched = new Set<string>();
  if (paths.length === 0 || !tree.info.mayConvert) return untouched;
  const { root, gitDir } = tree;
  const folder = await mkdtemp(join(gitDir, 'compare-'));
  try {
    const input = paths.map((path) => `${path}\0`).join('');
    await mustGit(git, ['checkout-index', '-f', '-q', '-z', '--stdin', `--prefix=${folder}/`], { input });
    for (const path of paths) {
      const [made, here] = await Promise.all([readFileOnly(join(folder, path)), readFileOnly(join(root, path))]);
      if (made !== null && here?.equals(made) === true && (await haveOneMode(join(folder, path), join(root, path))))
        untouched.add(path);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return untouched;
}

async function readFileOnly(path: string): Promise<Buffer | null> {
  const stats = await lstat(path).catch(() => null);
  return stats?.isFile() === true && stats.size <= LARGEST ? await readFile(path) : null;
}

async function haveOneMode(a: string, b: string): Promise<boolean> {
  const [one, two] = await Promise.all([lstat(a), lstat(b)]);
  return (one.mode & 0o100) === (two.mode & 0o100);
}

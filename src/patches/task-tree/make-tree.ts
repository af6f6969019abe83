import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../files/make-folder.ts';
import { GitError, mustGit, type Git } from '../../git/git.ts';
import { listRefs, makeGitDir } from '../../git/git-dir.ts';
import { copyIndex, readIndex } from './base-index.ts';
import { copyFiltered, findFiltered } from './filtered-files.ts';
import { linkIgnored } from './links.ts';
import { HALF_MADE, toBranchName } from './places.ts';
import { TreeError } from './tree-error.ts';
import { createTreeGit } from './tree-git.ts';
import { readTree, writeTreeInfo } from './tree-info.ts';
import type { Repository } from '../../git/repository.ts';
import type { TaskTree, TreeBase, TreeInfo, TreeOwner, TreeSettings } from './types.ts';

const CHECKOUT_DEADLINE_MS = 10 * 60_000;
const MOST_WORKERS = 4;
const SUBMODULE = '160000';
/** Settings that decide about line endings. */
const CONVERTING = ['core.autocrlf', 'core.eol'];

/**
 * Makes a task's tree, under a temporary name until it is whole. Two processes that make the same tree end with one.
 * @param folder see `toTreeFolder`
 * @throws TreeError: the commit is not here, or a filtered file cannot be had; GitError; a system error
 */
export async function makeTree(
  folder: string,
  base: TreeBase,
  owner: TreeOwner,
  settings: TreeSettings,
  signal: AbortSignal,
): Promise<TaskTree> {
  const { worktrees } = settings;
  await makeFolder(worktrees, { mode: 0o700, setting: 'FLEET_DATA' });
  const draft = join(worktrees, `${HALF_MADE}${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(draft, { mode: 0o700 });
    await fill(draft, base, owner, settings, signal);
    await rename(draft, folder).catch(async (error: unknown) => {
      if ((await readTree(folder)) === null) throw error; // else another run of the task was faster
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  const tree = await readTree(folder);
  if (tree === null) throw new TreeError(`the task's tree ${folder} vanished while it was made`);
  return tree;
}

async function fill(
  folder: string,
  base: TreeBase,
  owner: TreeOwner,
  settings: TreeSettings,
  signal: AbortSignal,
): Promise<void> {
  const { repository, taskId } = owner;
  const branch = toBranchName(taskId);
  const [root, gitDir] = [join(folder, 'tree'), join(folder, 'git')];
  await mkdir(root);
  const refs = await listRefs(repository, signal, 'refs/heads/fleet/');
  await makeGitDir(gitDir, repository, { head: `ref: refs/heads/${branch}`, refs });
  await prepareGitDir(gitDir, branch, base.commit, owner, settings);
  await writeFile(join(root, '.git'), 'gitdir: ../git\n');
  const git = await createTreeGit({ root, gitDir }, repository, signal);
  await checkOut(git, base.commit);
  const entries = await listEntries(git);
  const attributes = await readAttributes(root, gitDir, entries);
  const filters = attributes.some((text) => text.includes('filter'))
    ? await findFiltered(git, [...entries.blobs.keys()], { cached: true })
    : [];
  // Taken before anything of the checkout changes: what differs from it later, the task has changed.
  await copyIndex(join(gitDir, 'index'), join(gitDir, 'base-index'));
  const start = base.merge?.start ?? null;
  if (start !== null) await layOver({ root, gitDir }, repository, start, signal);
  const filtered = await copyFiltered(repository, root, filters, entries.blobs, signal);
  if (filtered.length > 0) {
    const input = filtered.map(({ path }) => `${path}\0`).join('');
    await mustGit(git, ['update-index', '--assume-unchanged', '-z', '--stdin'], { input });
  }
  const links = await linkIgnored(git, repository, { root, gitDir }, settings);
  const info: TreeInfo = {
    version: 1,
    task: taskId,
    finding: owner.findingId,
    tree: base.tree,
    workspace: owner.workspace,
    root: repository.top,
    base: base.commit,
    buildsOn: base.buildsOn,
    carries: base.merge?.carries ?? [],
    branch,
    heads: [],
    host: owner.host,
    swarm: owner.swarm,
    madeAt: new Date().toISOString(),
    filtered,
    submodules: entries.submodules,
    mayConvert: attributes.length > 0 || CONVERTING.some((key) => key in repository.settings),
    bytes: entries.bytes,
    links,
    isRebuilding: owner.isRebuilding,
  };
  await writeTreeInfo(folder, info);
}

/**
 * Writes what another tree object holds over the checkout, and deletes what it does not. The index stays at the base: the
 * difference is what the task changes.
 */
async function layOver(
  { root, gitDir }: Pick<TaskTree, 'root' | 'gitDir'>,
  repository: Repository,
  content: string,
  signal: AbortSignal,
): Promise<void> {
  const scratch = join(gitDir, 'start-index');
  await copyIndex(join(gitDir, 'index'), scratch);
  const git = await createTreeGit({ root, gitDir }, repository, signal, scratch);
  await mustGit(git, ['read-tree', '-m', '-u', 'HEAD', content], { timeoutMs: CHECKOUT_DEADLINE_MS });
  await rm(scratch, { force: true });
}

/**
 * Completes the git directory for programs that the task runs. They read the person's objects and write their own beside
 * them, so that none of their clean-ups reaches the person's.
 */
async function prepareGitDir(
  gitDir: string,
  branch: string,
  commit: string,
  { repository }: TreeOwner,
  { author }: TreeSettings,
): Promise<void> {
  await mkdir(join(gitDir, 'objects', 'info'));
  await makeFolder(dirname(join(gitDir, 'refs', 'heads', branch)));
  await Promise.all([
    writeFile(join(gitDir, 'objects', 'info', 'alternates'), `${repository.objects}\n`),
    writeFile(join(gitDir, 'refs', 'heads', branch), `${commit}\n`),
    appendFile(
      join(gitDir, 'config'),
      `[core]\n\thooksPath = /dev/null\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[user]\n\tname = "${author.name}"\n\temail = "${author.email}"\n`,
    ),
  ]);
}

async function checkOut(git: Git, commit: string): Promise<void> {
  const timeoutMs = CHECKOUT_DEADLINE_MS;
  const read = await git(['read-tree', commit], { timeoutMs });
  if (read.code !== 0 && (await git(['cat-file', '-e', `${commit}^{tree}`])).code !== 0) {
    throw new TreeError(
      `commit ${commit}, from which the task began, is not in the workspace's repository on this host`,
    );
  }
  if (read.code !== 0) throw new GitError(`git read-tree: exit code ${read.code}: ${read.output.trim()}`);
  const workers = Math.min(MOST_WORKERS, availableParallelism());
  await mustGit(git, ['-c', `checkout.workers=${workers}`, 'checkout-index', '-a', '-u', '-q'], { timeoutMs });
}

interface Entries {
  /** Path → blob, of files and links. */
  blobs: Map<string, string>;
  /** Paths of the files `.gitattributes`. Of a link git takes no attributes. */
  attributes: string[];
  submodules: string[];
  bytes: number;
}

async function listEntries(git: Git): Promise<Entries> {
  const entries: Entries = { blobs: new Map(), attributes: [], submodules: [], bytes: 0 };
  for (const { mode, blob, path, size } of await readIndex(git)) {
    if (mode === SUBMODULE) entries.submodules.push(path);
    else entries.blobs.set(path, blob);
    if (mode.startsWith('100') && /(^|\/)\.gitattributes$/.test(path)) entries.attributes.push(path);
    entries.bytes += size;
  }
  return entries;
}

/** The texts of all files with attributes. Most repositories have none. */
async function readAttributes(root: string, gitDir: string, { attributes }: Entries): Promise<string[]> {
  const places = [join(gitDir, 'info', 'attributes'), ...attributes.map((path) => join(root, path))];
  const texts = await Promise.all(places.map((path) => readFile(path, 'utf8').catch(() => '')));
  return texts.filter((text) => text !== '');
}

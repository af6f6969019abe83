import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../../files/make-folder.ts';
import { createGit, mustGit, type Git } from '../../../git/git.ts';
import { makeGitDir } from '../../../git/git-dir.ts';
import type { PatchHost } from '../../patch-host.ts';
import { copyFiltered, findFiltered } from '../../task-tree/filtered-files.ts';
import { linkIgnored } from '../../task-tree/links.ts';
import { splitNul } from '../person/byte-path.ts';
import { nameOwned, readOwner } from '../person/owner.ts';
import type { PersonTree } from '../person/person-tree.ts';
import type { Scratch } from '../person/scratch.ts';

/** Longest checkout. */
const CHECKOUT_MS = 10 * 60_000;

/**
 * Runs work in a working tree of a commit, made for it and removed after it. Programs in it see a git directory of its own.
 * @throws TreeError, GitError if the tree cannot be made; what `work` throws
 */
export async function withCheckTree<T>(
  host: PatchHost,
  { repository }: PersonTree,
  { objects }: Scratch,
  commit: string,
  signal: AbortSignal,
  work: (root: string) => Promise<T>,
): Promise<T> {
  const parent = toFolder(host);
  const folder = join(parent, nameOwned());
  const [root, gitDir] = [join(folder, 'tree'), join(folder, 'git')];
  try {
    await makeFolder(root, { mode: 0o700, setting: 'FLEET_DATA' });
    await makeGitDir(gitDir, repository, { head: commit, refs: '' });
    await makeFolder(join(gitDir, 'objects', 'info'));
    await writeFile(join(gitDir, 'objects', 'info', 'alternates'), `${objects}\n`);
    await writeFile(join(root, '.git'), 'gitdir: ../git\n');
    const git = await createGit({ gitDir, workTree: root }, repository.root, signal);
    await mustGit(git, ['read-tree', commit], { timeoutMs: CHECKOUT_MS });
    await mustGit(git, ['checkout-index', '-a', '-u', '-q'], { timeoutMs: CHECKOUT_MS });
    const blobs = await listBlobs(git);
    const filters = await findFiltered(git, [...blobs.keys()], { cached: true });
    await copyFiltered(repository, root, filters, blobs, signal);
    await linkIgnored(git, repository, { root, gitDir }, host);
    return await work(root);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes the trees that killed commands left. */
export async function sweepCheckTrees(host: PatchHost): Promise<void> {
  const parent = toFolder(host);
  for (const name of await readdir(parent).catch(() => [])) {
    if (readOwner(name) === 'ended') await rm(join(parent, name), { recursive: true, force: true });
  }
}

const toFolder = ({ dataFolder, swarm }: PatchHost): string => join(dataFolder, swarm ?? 'fleet', 'checks');

async function listBlobs(git: Git): Promise<Map<string, string>> {
  const lines = splitNul(await mustGit(git, ['ls-files', '-s', '-z']));
  return new Map(
    lines.map((line): [string, string] => {
      const end = line.indexOf('\t');
      return [Buffer.from(line.slice(end + 1), 'latin1').toString('utf8'), line.slice(0, end).split(' ')[1] ?? ''];
    }),
  );
}

import { link, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../../files/make-folder.ts';
import { createGit, type Git } from '../../../git/git.ts';
import { makeGitDir } from '../../../git/git-dir.ts';
import { nameOwned } from './owner.ts';
import type { PersonTree } from './person-tree.ts';

/** A folder in the person's git directory, thus on the disk of the working tree, in which one command works. */
export interface Scratch {
  folder: string;
  /** The private git directory in it. */
  gitDir: string;
  /** Folder of objects that git writes to. */
  objects: string;
}

/** Folder of the fleet in a person's git directory. */
export const FOLDER = 'haiku-fleet';

/** @param keepsObjects whether the objects that are written stay in the person's repository, as a commit needs */
export async function makeScratch(
  { repository, head }: PersonTree,
  { keepsObjects }: { keepsObjects: boolean },
): Promise<Scratch> {
  const folder = join(repository.gitDir, FOLDER, nameOwned());
  await makeFolder(folder, { mode: 0o700 });
  const gitDir = join(folder, 'git');
  await makeGitDir(gitDir, repository, { head: head.commit, refs: '' });
  await linkSharedIndexes(repository.gitDir, gitDir);
  if (keepsObjects) return { folder, gitDir, objects: repository.objects };
  const objects = join(gitDir, 'objects');
  await makeFolder(join(objects, 'info'));
  await writeFile(join(objects, 'info', 'alternates'), `${repository.objects}\n`);
  return { folder, gitDir, objects };
}

/** @param more index file: absolute path; working tree: default the person's */
export async function openScratchGit(
  { repository }: PersonTree,
  { gitDir, objects }: Scratch,
  signal: AbortSignal,
  more: { indexFile?: string; workTree?: string } = {},
): Promise<Git> {
  const { indexFile, workTree = repository.top } = more;
  const place = { gitDir, objects, workTree, ...(indexFile === undefined ? {} : { indexFile }) };
  return await createGit(place, repository.root, signal);
}

export async function removeScratch({ folder }: Pick<Scratch, 'folder'>): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** A split index names a second file beside it, which git looks for in its own directory. */
async function linkSharedIndexes(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (name.startsWith('sharedindex.')) await link(join(from, name), join(to, name));
  }
}

import { copyFile, lstat, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createPlumbing } from '../../../git/repository.ts';
import type { StateMark } from '../../types.ts';
import { toShown } from '../person/byte-path.ts';
import { isAncestor } from '../plan/find-applied.ts';
import { nameOwned, readOwner } from '../person/owner.ts';
import type { PersonTree } from '../person/person-tree.ts';
import { FOLDER, openScratchGit, removeScratch } from '../person/scratch.ts';
import { findIndexLock, takeIndexLock } from './index-lock.ts';
import { readJournal, type Journal } from './journal.ts';
import { keepFolder } from './change-tree.ts';
import { listWrittenLate, pruneFolders, takeFilesBack, type Site } from './place-files.ts';

/** A change takes seconds, a check of many patches can take hours; neither touches the folder itself meanwhile. */
const FOREIGN_MS = 6 * 3_600_000;

export interface Recovery {
  /** True: the branch had moved, and the change was finished. False: it was taken back. */
  isFinished: boolean;
  /** For people. Empty: nothing to tell. */
  notes: string[];
}

/**
 * Ends what killed commands began in a person's tree: what had reached the branch is finished, all else is taken back.
 * @param store stores the marks of a finished change, before its journal goes
 */
export async function recoverTree(
  tree: PersonTree,
  store: (marks: readonly StateMark[]) => Promise<void>,
  signal: AbortSignal,
): Promise<Recovery[]> {
  const parent = join(tree.repository.gitDir, FOLDER);
  const recoveries: Recovery[] = [];
  for (const name of await readdir(parent).catch(() => [])) {
    if (!(await hasEnded(name, join(parent, name)))) continue;
    const folder = join(parent, nameOwned());
    const isMine = await rename(join(parent, name), folder).then(
      () => true,
      () => false, // another command was first
    );
    if (!isMine) continue;
    const recovery = await recoverOne(tree, folder, store, signal);
    if (recovery !== null) recoveries.push(recovery);
  }
  return recoveries;
}

/** A folder of another host or container is taken for left behind when it has been still for long. */
async function hasEnded(name: string, folder: string): Promise<boolean> {
  const owner = readOwner(name);
  if (owner !== 'foreign') return owner === 'ended';
  const stats = await lstat(folder).catch(() => null);
  return stats !== null && Date.now() - stats.mtimeMs > FOREIGN_MS;
}

async function recoverOne(
  tree: PersonTree,
  folder: string,
  store: (marks: readonly StateMark[]) => Promise<void>,
  signal: AbortSignal,
): Promise<Recovery | null> {
  const journal = await readJournal(folder);
  const lock = await findIndexLock(tree.repository, folder);
  const site: Site = { top: tree.repository.top, folder };
  if (journal === null) {
    await lock?.release();
    await removeScratch({ folder });
    return null;
  }
  const isFinished = await hasMoved(tree, folder, journal, signal);
  const notes: string[] = [];
  if (isFinished) {
    if (lock !== null) {
      await lock.fill(await readFile(join(folder, 'index')));
      await lock.install();
    } else if (!(await hasIndex(tree, folder, journal, signal))) {
      notes.push(await renewIndex(tree, folder, journal, signal));
    }
    await pruneFolders(site, journal.paths);
    await store(journal.marks);
  }
  const kept = isFinished ? await listWrittenLate(site, journal.paths) : await takeFilesBack(site, journal.paths);
  if (!isFinished) await lock?.release();
  if (kept.length === 0) await removeScratch({ folder });
  else notes.push(`${kept.map(toShown).join(', ')}: another version is kept in ${await keepFolder(site)}/old`);
  return { isFinished, notes: notes.filter((note) => note !== '') };
}

/** Whether the branch reached the commit. A person may have gone on from it since. */
async function hasMoved(
  tree: PersonTree,
  folder: string,
  { branch, to }: Journal,
  signal: AbortSignal,
): Promise<boolean> {
  const git = await createPlumbing(tree.repository, signal);
  const tip = await git(['rev-parse', '--verify', '--quiet', `${branch ?? 'HEAD'}^{commit}`]);
  if (tip.code !== 0 || tip.stdout === null) return false;
  return await isAncestor(await openFolderGit(tree, folder, signal), to, tip.stdout.toString('utf8').trim());
}

/** Whether the index holds the new entries: the command was killed after it had put the index in place. */
async function hasIndex(tree: PersonTree, folder: string, journal: Journal, signal: AbortSignal): Promise<boolean> {
  const git = await openFolderGit(tree, folder, signal, tree.repository.indexFile);
  const { code, stdout } = await git(['diff-index', '--cached', '--name-only', '-z', journal.to]);
  if (code !== 0 || stdout === null) return true;
  const differing = new Set(stdout.toString('latin1').split('\0'));
  return !journal.paths.some(({ path }) => differing.has(path));
}

/** The person removed the lock by hand: the new entries are put into the index as it is now. @returns a note, or '' */
async function renewIndex(tree: PersonTree, folder: string, journal: Journal, signal: AbortSignal): Promise<string> {
  const lock = await takeIndexLock(tree.repository, folder);
  const next = join(folder, 'index');
  const git = await openFolderGit(tree, folder, signal, next);
  await rename(next, `${next}.before`).catch(() => undefined);
  await copyFile(tree.repository.indexFile, next);
  const done = await git(['-c', 'core.splitIndex=false', 'read-tree', '-i', '-m', journal.from, journal.to]);
  if (done.code !== 0) {
    await lock.release();
    return `the index was changed by hand since; \`git status\` shows what differs from HEAD`;
  }
  await lock.fill(await readFile(next));
  await lock.install();
  return '';
}

async function openFolderGit(tree: PersonTree, folder: string, signal: AbortSignal, indexFile?: string) {
  const scratch = { folder, gitDir: join(folder, 'git'), objects: tree.repository.objects };
  return await openScratchGit(tree, scratch, signal, indexFile === undefined ? {} : { indexFile });
}

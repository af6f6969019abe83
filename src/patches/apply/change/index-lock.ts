import { link, lstat, readdir, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PatchError } from '../../patch-error.ts';
import type { Repository } from '../../../git/repository.ts';

/** Git that only refreshes the index holds the lock for less than this. */
const WAIT_MS = 2_000;
const POLL_MS = 50;

/**
 * git's own lock of the person's index, held while a change is made: no git of the person's changes index or working tree
 * meanwhile. It is a link to a file of ours, by which a later command knows whose it is.
 */
export interface IndexLock {
  /** Puts the content of a file into the lock: the next index. */
  fill(content: Buffer): Promise<void>;
  /** Makes the content the index. */
  install(): Promise<void>;
  release(): Promise<void>;
}

/** @throws PatchError while another git holds the lock */
export async function takeIndexLock({ indexFile }: Repository, folder: string): Promise<IndexLock> {
  const own = join(folder, 'lock');
  const path = `${indexFile}.lock`;
  await writeFile(own, '', { flag: 'a' });
  const until = performance.now() + WAIT_MS;
  while (!(await tryLink(own, path))) {
    if (performance.now() > until) {
      if (await isOfFleet(path, dirname(folder))) {
        throw new PatchError(
          'another fleet command changes this repository, or was killed; try again, which ends what that one left',
        );
      }
      throw new PatchError(
        `${path} is there: another git works in this repository, or was killed; end it, or remove the file if none runs`,
      );
    }
    await wait(POLL_MS);
  }
  return toLock(own, path, indexFile);
}

/** Finds the lock that a killed command left. @returns null: it holds none */
export async function findIndexLock({ indexFile }: Repository, folder: string): Promise<IndexLock | null> {
  const own = join(folder, 'lock');
  const path = `${indexFile}.lock`;
  return (await isSameFile(own, path)) ? toLock(own, path, indexFile) : null;
}

/** Whether a command of the fleet holds the lock: removing it by hand would not help. @param commands folder of their folders */
async function isOfFleet(path: string, commands: string): Promise<boolean> {
  const names = await readdir(commands).catch(() => []);
  const same = await Promise.all(names.map(async (name) => await isSameFile(join(commands, name, 'lock'), path)));
  return same.includes(true);
}

function toLock(own: string, path: string, indexFile: string): IndexLock {
  return {
    fill: async (content) => await writeFile(own, content, { flush: true }),
    install: async () => await rename(path, indexFile),
    release: async () => await unlink(path),
  };
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return false;
    if (code === 'EPERM' || code === 'ENOTSUP') throw noLinks(error);
    throw error;
  }
}

/** Whether both names are one file. */
export async function isSameFile(one: string | Buffer, other: string | Buffer): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map(async (path) => await lstat(path).catch(() => null)));
  return a !== null && b !== null && a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

export function noLinks(cause: unknown): PatchError {
  return new PatchError('the file system of the workspace has no hard links, which a safe change needs; use --branch', {
    cause,
  });
}

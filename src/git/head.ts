import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPlumbing, type Repository } from './repository.ts';

/** The commit that a working tree has checked out. */
export interface Head {
  commit: string;
  /** Full name of the branch, `refs/heads/main`; null: detached. */
  branch: string | null;
}

const ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})\n$/;

/** Reads HEAD of the person's working tree. @returns null: the repository has no commit yet */
export async function readHead(repository: Repository, signal: AbortSignal): Promise<Head | null> {
  const plain = await readPlainHead(repository);
  if (plain !== null) return plain;
  const git = await createPlumbing(repository, signal);
  const commit = await git(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  if (commit.code !== 0 || commit.stdout === null) return null;
  const branch = await git(['symbolic-ref', '--quiet', 'HEAD']);
  const name = branch.code === 0 ? (branch.stdout?.toString('utf8').trim() ?? null) : null;
  return { commit: commit.stdout.toString('utf8').trim(), branch: name };
}

/** Every task asks, so the usual case starts no process. @returns null: HEAD is something that git must read */
async function readPlainHead({ gitDir, commonDir }: Repository): Promise<Head | null> {
  const text = await readFile(join(gitDir, 'HEAD'), 'utf8').catch(() => '');
  if (ID.test(text)) return { commit: text.trim(), branch: null };
  const branch = /^ref: (refs\/heads\/[^\s\0]+)\n$/.exec(text)?.[1];
  if (branch === undefined || branch.split('/').includes('..')) return null;
  const loose = await readFile(join(commonDir, branch), 'utf8').catch(() => null);
  if (loose !== null) return ID.test(loose) ? { commit: loose.trim(), branch } : null;
  const packed = await readFile(join(commonDir, 'packed-refs'), 'utf8').catch(() => '');
  const line = packed.split('\n').find((each) => each.endsWith(` ${branch}`));
  const commit = line?.slice(0, line.indexOf(' ')) ?? '';
  return ID.test(`${commit}\n`) ? { commit, branch } : null;
}

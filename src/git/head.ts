import { createPlumbing, type Repository } from './repository.ts';

/** The commit that a working tree has checked out. */
export interface Head {
  commit: string;
  /** Full name of the branch, `refs/heads/main`; null: detached. */
  branch: string | null;
}

/** Reads HEAD of the person's working tree. @returns null: the repository has no commit yet */
export async function readHead(repository: Repository, signal: AbortSignal): Promise<Head | null> {
  const git = await createPlumbing(repository, signal);
  const commit = await git(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  if (commit.code !== 0 || commit.stdout === null) return null;
  const branch = await git(['symbolic-ref', '--quiet', 'HEAD']);
  const name = branch.code === 0 ? (branch.stdout?.toString('utf8').trim() ?? null) : null;
  return { commit: commit.stdout.toString('utf8').trim(), branch: name };
}

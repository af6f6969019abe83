import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGit, mustGit, type Git } from '../../git/git.ts';
import { makeGitDir } from '../../git/git-dir.ts';
import type { Repository } from '../../git/repository.ts';

/** Most bytes of the objects that a merge makes. */
const PACK_CAP = 512 * 1024 * 1024;

export interface MergeGit {
  git: Git;
  /** Absolute path of the private git directory. */
  gitDir: string;
  /** Copies these objects, and what they need besides `known`, to the person's repository. */
  keep(ids: readonly string[], known: string): Promise<void>;
}

/**
 * Runs `work` with a git that sees the person's objects and writes none of them: what a merge makes is thrown away, but for what
 * `keep` copies.
 * @param head id of the commit that HEAD is there
 */
export async function withMergeGit<T>(
  repository: Repository,
  head: string,
  signal: AbortSignal,
  work: (parts: MergeGit) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'haiku-fleet-merge-'));
  const gitDir = join(folder, 'git');
  try {
    await makeGitDir(gitDir, repository, { head, refs: '' });
    const info = join(gitDir, 'objects', 'info');
    await mkdir(info);
    await writeFile(join(info, 'alternates'), `${repository.objects}\n`);
    const git = await createGit({ gitDir, workTree: null }, repository.root, signal);
    const theirs = await createGit({ gitDir, workTree: null, objects: repository.objects }, repository.root, signal);
    const keep = async (ids: readonly string[], known: string): Promise<void> => {
      const input = [...ids, `^${known}`, ''].join('\n');
      const pack = await mustGit(git, ['pack-objects', '--revs', '--stdout', '-q'], { input, outputCap: PACK_CAP });
      await mustGit(theirs, ['unpack-objects', '-q'], { input: pack });
    };
    return await work({ git, gitDir, keep });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../files/make-folder.ts';
import { askGit, createGit, type Git } from './git.ts';
import { createPlumbing, type Repository } from './repository.ts';
import { makeScratch } from './scratch.ts';

export interface GitDirOptions {
  /** Content of HEAD: `ref: refs/heads/…`, or an object id. */
  head: string;
  /** Text for `packed-refs` (see `listRefs`). */
  refs: string;
  /** Lines for `info/exclude`, besides the person's. */
  exclude?: readonly string[];
}

/**
 * Makes a private git directory for a repository. It has a configuration of its own, so that no include, filter, merge
 * driver, hook, remote or helper of the repository applies; it shares the objects, and holds a copy of the refs.
 * @param path absolute; it must not exist
 */
export async function makeGitDir(path: string, repository: Repository, options: GitDirOptions): Promise<void> {
  const { head, refs, exclude = [] } = options;
  await makeFolder(join(path, 'refs', 'heads'), { mode: 0o700 });
  await mkdir(join(path, 'info'));
  await mkdir(join(path, 'objects'));
  const own = await readFile(join(repository.commonDir, 'info', 'exclude'), 'utf8').catch(() => '');
  await Promise.all([
    writeFile(join(path, 'config'), toConfig(repository.settings)),
    writeFile(join(path, 'HEAD'), `${head}\n`),
    writeFile(join(path, 'packed-refs'), refs),
    writeFile(join(path, 'info', 'exclude'), [own, ...exclude, ''].join('\n')),
    copyIfThere(join(repository.commonDir, 'info', 'attributes'), join(path, 'info', 'attributes')),
    copyIfThere(join(repository.commonDir, 'shallow'), join(path, 'shallow')),
  ]);
}

/** Returns all refs in the form of `packed-refs`. @param leaveOut beginning of names that are left out */
export async function listRefs(repository: Repository, signal: AbortSignal, leaveOut?: string): Promise<string> {
  const git = await createPlumbing(repository, signal);
  const listed = await askGit(git, ['for-each-ref', '--format=%(objectname) %(refname)%(symref)']);
  const isKept = (line: string): boolean => {
    const name = line.slice(line.indexOf(' ') + 1);
    return line !== '' && !/refs\/.*refs\//.test(name) && (leaveOut === undefined || !name.startsWith(leaveOut));
  };
  return listed
    .split('\n')
    .filter(isKept)
    .map((line) => `${line}\n`)
    .join('');
}

/**
 * Runs `work` with a git that sees the person's working tree, index and refs as they are and changes none of them: pass
 * `READ_ONLY` to commands that could refresh the index.
 * @param cwd absolute folder in the working tree
 */
export async function withView<T>(
  repository: Repository,
  cwd: string,
  signal: AbortSignal,
  work: (git: Git, gitDir: string) => Promise<T>,
): Promise<T> {
  const folder = await makeScratch();
  const gitDir = join(folder, 'git');
  try {
    const head = (await readFile(join(repository.gitDir, 'HEAD'), 'utf8')).trim();
    await makeGitDir(gitDir, repository, { head, refs: await listRefs(repository, signal) });
    const { objects, top: workTree, indexFile, root } = repository;
    return await work(await createGit({ gitDir, workTree, indexFile, objects, cwd }, root, signal), gitDir);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function toConfig(settings: Readonly<Record<string, string>>): string {
  const isExtended = Object.keys(settings).some((key) => key.startsWith('extensions.'));
  const lines = Object.entries(settings).map(([key, value]) => {
    const dot = key.indexOf('.');
    return `[${key.slice(0, dot)}]\n\t${key.slice(dot + 1)} = ${quote(value)}\n`;
  });
  return `[core]\n\trepositoryformatversion = ${isExtended ? 1 : 0}\n\tbare = false\n${lines.join('')}`;
}

/** A value can end its line or begin a section only unquoted. */
function quote(value: string): string {
  return `"${value.replaceAll(/[\\"]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}"`;
}

async function copyIfThere(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  });
}

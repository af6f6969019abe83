import { constants } from 'node:fs';
import { copyFile, lstat, readFile, unlink } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { listGit, type Git } from '../../git/git.ts';
import { withView } from '../../git/git-dir.ts';
import type { Repository } from '../../git/repository.ts';
import { readIndex } from './base-index.ts';
import { TreeError } from './tree-error.ts';
import type { FilteredFile } from './types.ts';

/** A path whose content a filter program would change, and the filter's name. */
export interface Filter {
  path: string;
  driver: string;
}

/**
 * Finds those of the paths that the repository keeps through a filter program, by its attributes.
 * @param options `cached`: the attributes of the index; else those of the working tree
 */
export async function findFiltered(
  git: Git,
  paths: readonly string[],
  { cached = false }: { cached?: boolean } = {},
): Promise<Filter[]> {
  if (paths.length === 0) return [];
  const args = ['check-attr', ...(cached ? ['--cached'] : []), '-z', '--stdin', 'filter'];
  const items = await listGit(git, args, { input: paths.map((path) => `${path}\0`).join('') });
  const found: Filter[] = [];
  for (let i = 0; i + 2 < items.length; i += 3) {
    const [path = '', , driver = ''] = items.slice(i, i + 3);
    if (driver !== 'unspecified' && driver !== 'unset') found.push({ path, driver });
  }
  return found;
}

/** Why a filtered path is not written, staged or committed for a task. */
export function toFilterReason(driver: string): string {
  return `the filter ${JSON.stringify(driver)} keeps it, and is not run for tasks`;
}

/**
 * Copies filtered files from the person's working tree, where a filter has made their content. Only a file that is there as
 * the index has it is one: its times and size are those that git noted when it wrote it.
 * @param wanted path → blob that the tree's commit has there
 * @throws TreeError naming path and driver
 */
export async function copyFiltered(
  repository: Repository,
  root: string,
  filters: readonly Filter[],
  wanted: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<FilteredFile[]> {
  if (filters.length === 0) return [];
  const entries = await withView(repository, repository.top, signal, readIndex);
  const noted = new Map(entries.map((entry) => [entry.path, entry]));
  const copied: FilteredFile[] = [];
  for (const { path, driver } of filters) {
    signal.throwIfAborted();
    const entry = noted.get(path);
    const from = join(repository.top, path);
    if (entry === undefined || entry.blob !== wanted.get(path) || (await toMark(from)) !== entry.mark) {
      throw new TreeError(
        `${JSON.stringify(path)} is kept by the filter ${JSON.stringify(driver)}, which is not run for tasks, and the workspace does not hold it as that commit does; ` +
          'commit or restore it, or give the task "isolate": false',
      );
    }
    const to = join(root, path);
    await unlink(to);
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    if ((await toMark(from)) !== entry.mark) {
      throw new TreeError(`${JSON.stringify(path)}: changed while it was copied; try again`);
    }
    copied.push({ path, driver, sha256: await toSha256(to) });
  }
  return copied;
}

/** @returns null: it is no regular file */
export async function toSha256OrNull(path: string): Promise<string | null> {
  const stats = await lstat(path).catch(() => null);
  return stats?.isFile() === true ? await toSha256(path) : null;
}

async function toSha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

/** The index keeps 32 bits of each number. */
async function toMark(path: string): Promise<string | null> {
  const stats = await lstat(path, { bigint: true }).catch(() => null);
  if (stats?.isFile() !== true) return null;
  const { mtimeNs, ino, size } = stats;
  const low = (value: bigint): bigint => value & 0xff_ff_ff_ffn;
  return `${low(mtimeNs / 1_000_000_000n)}:${mtimeNs % 1_000_000_000n} ${low(ino)} ${low(size)}`;
}

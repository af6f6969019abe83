import { copyFile, stat, utimes } from 'node:fs/promises';
import { mustGit, type Git } from '../../git/git.ts';
import { READ_ONLY } from '../../git/settings.ts';

/**
 * Copies an index with its times. git takes a file for changed by the times of the index, too: a copy with later ones would hide changes.
 */
export async function copyIndex(from: string, to: string): Promise<void> {
  const { mtimeMs } = await stat(from);
  await copyFile(from, to);
  const floor = Math.floor(mtimeMs) / 1_000;
  await utimes(to, floor, floor);
}

/** What an index noted of one file. */
export interface IndexEntry {
  mode: string;
  blob: string;
  path: string;
  /** Bytes, of the file in the working tree. */
  size: number;
  /** Changes whenever the file changes: its time, number and size, as `toMark` has them. */
  mark: string;
}

const ENTRY =
  /(?<mode>\d{6}) (?<blob>[0-9a-f]+) (?<stage>\d)\t(?<path>[^\0]*)\0 {2}ctime: \d+:\d+\n {2}mtime: (?<mtime>\d+:\d+)\n {2}dev: \d+\tino: (?<ino>\d+)\n {2}uid: \d+\tgid: \d+\n {2}size: (?<size>\d+)\t.*\n/g;

/** Reads an index, without the entries of a merge under way. */
export async function readIndex(git: Git): Promise<IndexEntry[]> {
  const listed = await mustGit(git, ['ls-files', '--stage', '--debug', '-z', '--full-name'], { env: READ_ONLY });
  const entries: IndexEntry[] = [];
  for (const { groups = {} } of listed.toString('utf8').matchAll(ENTRY)) {
    const { mode = '', blob = '', stage, path = '', mtime, ino, size } = groups;
    if (stage === '0') entries.push({ mode, blob, path, size: Number(size), mark: `${mtime} ${ino} ${size}` });
  }
  return entries;
}

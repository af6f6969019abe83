import { constants } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../tool-refusal.ts';
import { WHOLE_FILE_CAP } from '../files/text-file.ts';
import type { FileChange } from '../line-change.ts';

/** Limits of one snapshot. Files beyond them are not compared by line, or not at all; a note to the model reports it. */
const MAX_ENTRIES = 50_000;
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
const MAX_KEPT_FILE_BYTES = 1024 * 1024;
const MAX_CHANGES = 1_000;
const READS_AT_ONCE = 32;

const SKIPPED = new Set(['.git', 'node_modules']);

interface Entry {
  /** Changes whenever the file changes: mode, inode, size, times in nanoseconds. */
  mark: string;
  size: number;
}

interface Snapshot {
  entries: Map<string, Entry>;
  /** Texts of the files that are small enough to keep. Null: a binary file. */
  texts: Map<string, string | null>;
  isWhole: boolean;
}

/**
 * Sees what a program changes in the workspace: what the files are now, without `.git` and `node_modules`.
 * @returns what tells the changes since; see `compareSnapshot`
 */
export async function watchWorkspace(root: string): Promise<() => ReturnType<typeof compareSnapshot>> {
  const before = await takeSnapshot(root);
  return () => compareSnapshot(root, before);
}

async function takeSnapshot(root: string): Promise<Snapshot> {
  const { entries, isWhole } = await listEntries(root);
  let budget = MAX_KEPT_BYTES;
  const small = [...entries].filter(([, { size }]) => {
    if (size > MAX_KEPT_FILE_BYTES || size > budget) return false;
    budget -= size;
    return true;
  });
  const texts = new Map<string, string | null>();
  for (let from = 0; from < small.length; from += READS_AT_ONCE) {
    await Promise.all(
      small.slice(from, from + READS_AT_ONCE).map(async ([path]) => texts.set(path, await readText(root, path))),
    );
  }
  return { entries, texts, isWhole };
}

/**
 * Finds what changed since the snapshot. A file whose old text was too large to keep counts as new; a binary file has the
 * lines `0-0`.
 * @returns `note`: what the limits left out, for the model; empty: nothing
 */
async function compareSnapshot(root: string, before: Snapshot): Promise<{ changes: FileChange[]; note: string }> {
  const { entries, isWhole } = await listEntries(root);
  const paths = [...new Set([...before.entries.keys(), ...entries.keys()])]
    .filter((path) => before.entries.get(path)?.mark !== entries.get(path)?.mark)
    .toSorted();
  const changes: FileChange[] = [];
  for (const path of paths.slice(0, MAX_CHANGES)) {
    const change = await compareFile(root, path, before, entries.get(path));
    if (change !== null) changes.push(change);
  }
  const limits = [
    ...(isWhole && before.isWhole ? [] : [`only the first ${MAX_ENTRIES} files were watched for changes`]),
    ...(paths.length > MAX_CHANGES ? [`${paths.length} files changed, ${MAX_CHANGES} are recorded`] : []),
  ];
  return { changes, note: limits.map((limit) => `\n[${limit}]`).join('') };
}

async function compareFile(
  root: string,
  path: string,
  before: Snapshot,
  now: Entry | undefined,
): Promise<FileChange | null> {
  const { toFileChange } = await import('../compare-lines.ts');
  const isNew = !before.entries.has(path);
  const old = isNew ? null : before.texts.get(path);
  const text = now === undefined || now.size > WHOLE_FILE_CAP ? null : await readText(root, path);
  if (now === undefined) return toFileChange(path, old ?? '', null);
  if (text === null || (old === null && !isNew)) return { path, added: 0, removed: 0, lines: '0-0' };
  return toFileChange(path, old ?? null, text);
}

async function listEntries(root: string): Promise<{ entries: Map<string, Entry>; isWhole: boolean }> {
  const entries = new Map<string, Entry>();
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const inside = folder;
    const found = await readdir(join(root, inside), { withFileTypes: true }).catch(ignoreVanished);
    const files = (found ?? []).filter((entry) => !SKIPPED.has(entry.name));
    const path = (name: string): string => (inside === '' ? name : `${inside}/${name}`);
    folders.push(...files.filter((entry) => entry.isDirectory()).map((entry) => path(entry.name)));
    for (let from = 0; from < files.length; from += READS_AT_ONCE) {
      await Promise.all(
        files.slice(from, from + READS_AT_ONCE).map(async (entry) => {
          if (!entry.isFile() && !entry.isSymbolicLink()) return;
          const stats = await lstat(join(root, path(entry.name)), { bigint: true }).catch(ignoreVanished);
          if (stats === undefined) return;
          const mark = `${stats.mode}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
          entries.set(path(entry.name), { mark, size: Number(stats.size) });
        }),
      );
    }
    if (entries.size > MAX_ENTRIES) return { entries, isWhole: false };
  }
  return { entries, isWhole: true };
}

/** Reads a file as text; of a link, its target. Null: a binary file, or one that does not exist or cannot be read. */
async function readText(root: string, path: string): Promise<string | null> {
  const full = join(root, path);
  try {
    const stats = await lstat(full);
    if (stats.isSymbolicLink()) return await readlink(full);
    if (!stats.isFile()) return null;
    const bytes = await readFile(full, { flag: constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK });
    return bytes.includes(0) ? null : bytes.toString('utf8');
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return null;
  }
}

/** Ignores that a file cannot be read: other processes use the workspace and may delete it at any time. */
function ignoreVanished(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(errorCode(error) ?? '')) throw error;
}

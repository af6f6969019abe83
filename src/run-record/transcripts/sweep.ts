import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Most bytes of all transcripts of a swarm on one host. */
const MOST_BYTES = 500_000_000;

/** The transcript of one job. */
interface JobFolder {
  path: string;
  /** Of its newest file, ms. */
  changedAt: number;
  bytes: number;
}

/**
 * Removes transcripts that are too old, and the oldest ones beyond `mostBytes`.
 * @param options.nowMs by this host's clock, which stamps the files
 * @returns how many jobs' transcripts went
 */
export async function sweepTranscripts(
  folder: string,
  { keepMs, nowMs, mostBytes = MOST_BYTES }: { keepMs: number; nowMs: number; mostBytes?: number },
): Promise<number> {
  const folders: JobFolder[] = [];
  for (const name of await listNames(folder)) folders.push(await measure(join(folder, name)));
  folders.sort((a, b) => b.changedAt - a.changedAt);
  let bytes = 0;
  let removed = 0;
  for (const { path, changedAt, bytes: own } of folders) {
    bytes += own;
    if (bytes <= mostBytes && nowMs - changedAt <= keepMs) continue;
    await rm(path, { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}

async function measure(path: string): Promise<JobFolder> {
  const found: JobFolder = { path, changedAt: 0, bytes: 0 };
  for (const name of await listNames(path)) {
    const file = await stat(join(path, name)).catch(() => null); // removed meanwhile
    if (file === null) continue;
    found.changedAt = Math.max(found.changedAt, file.mtimeMs);
    found.bytes += file.size;
  }
  return found;
}

/** Empty: there is no such folder. */
async function listNames(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
}

import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'haiku-fleet-git-';
/** No command of git takes longer, so that what is older was left by a killed process. */
const LEFT_AFTER_MS = 3_600_000;

/** Makes a folder in the system's temporary folder, for a private git directory. The caller removes it. */
export async function makeScratch(): Promise<string> {
  return await mkdtemp(join(tmpdir(), PREFIX));
}

/** Removes this user's folders of `makeScratch` that killed processes left. */
export async function removeLeftScratch(): Promise<void> {
  const uid = process.getuid?.();
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(tmpdir(), name);
    const stats = await lstat(path).catch(() => null); // a folder of that moment may be gone
    if (stats?.isDirectory() !== true || stats.uid !== uid || Date.now() - stats.mtimeMs < LEFT_AFTER_MS) continue;
    await rm(path, { recursive: true, force: true });
  }
}

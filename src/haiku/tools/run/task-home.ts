import { hash } from 'node:crypto';
import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { userInfo } from 'node:os';
import { makeFolder } from '../../../files/make-folder.ts';
import type { TaskHome } from '../tool.ts';

/** A home that a killed worker left is removed after this. No run of a job takes that long. */
const FORGOTTEN_MS = 24 * 3_600_000;

/**
 * A home for one run of a job: all programs of the run share it, so that caches of packages serve the next one. It is made for
 * the first of them.
 * @param folder of all homes of a swarm on this host
 * @param jobId the next run of the same job removes what a killed one left
 */
export function createTaskHome(folder: string, jobId: string): TaskHome {
  const toHome = (): string => join(folder, hash('sha256', jobId).slice(0, 16)); // most runs start no program
  let made: Promise<Record<string, string>> | null = null;
  return {
    open: () => (made ??= make(folder, toHome())),
    async remove() {
      if (made === null) return;
      await made.catch(() => undefined);
      made = null;
      await rm(toHome(), { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined); // the next run, or the next worker, tries again
    },
  };
}

async function make(folder: string, home: string): Promise<Record<string, string>> {
  await makeFolder(folder, { mode: 0o700 });
  await removeForgotten(folder);
  await rm(home, { recursive: true, force: true, maxRetries: 3 });
  await mkdir(home, { mode: 0o700 });
  const paths = {
    HOME: home,
    TMPDIR: join(home, 'tmp'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local', 'share'),
    XDG_STATE_HOME: join(home, '.local', 'state'),
    XDG_RUNTIME_DIR: join(home, '.run'),
  };
  for (const path of Object.values(paths)) await makeFolder(path, { mode: 0o700 });
  return paths;
}

async function removeForgotten(folder: string): Promise<void> {
  const { uid } = userInfo();
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const stats = await lstat(path).catch(() => null);
    if (stats === null || !/^[0-9a-f]{16}$/.test(name) || (uid >= 0 && stats.uid !== uid)) continue;
    if (Date.now() - stats.mtimeMs > FORGOTTEN_MS)
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

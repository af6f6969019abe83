import type { Db } from '../redis/db.ts';

const WORKER_ALIVE_MS = 60_000;

/** What a task's names are checked against; read once for many tasks. */
export interface KnownNames {
  /** Null: nobody can say, because no worker runs and none are configured here. */
  workspaces: Set<string> | null;
  contexts: Set<string>;
}

/** @param configured workspaces of this process' own configuration */
export async function readKnownNames({ redis, keys }: Db, configured: string[]): Promise<KnownNames> {
  const [workers, contexts] = await Promise.all([redis.hvals(keys.workers), redis.hkeys(keys.contexts)]);
  const workspaces = new Set(configured);
  let anybody = configured.length > 0;
  for (const json of workers) {
    const worker = JSON.parse(json) as { workspaces?: string[]; seenAt?: number };
    if (Date.now() - (worker.seenAt ?? 0) > WORKER_ALIVE_MS) continue;
    anybody = true;
    for (const name of worker.workspaces ?? []) workspaces.add(name);
  }
  return { workspaces: anybody ? workspaces : null, contexts: new Set(contexts) };
}

import { UsageError } from '../errors.ts';
import type { Db } from '../redis/db.ts';
import { readWorkers } from '../swarm/heartbeat.ts';

/** What a task's names are checked against; read once for many tasks. */
export interface KnownNames {
  /** Null: unknown, because no worker is up and none are configured here. */
  workspaces: Set<string> | null;
  contexts: Set<string>;
}

/** @param configured workspaces of this process' own configuration */
export async function readKnownNames(db: Db, configured: string[]): Promise<KnownNames> {
  const [workers, contexts] = await Promise.all([readWorkers(db), db.redis.hkeys(db.keys.contexts)]);
  const names = new Set([...configured, ...workers.flatMap(({ workspaces }) => workspaces)]);
  const isKnown = configured.length > 0 || workers.length > 0;
  return { workspaces: isKnown ? names : null, contexts: new Set(contexts) };
}

/** @throws UsageError for a workspace that no worker has and that is not configured here */
export function assertWorkspace(name: string, { workspaces }: Pick<KnownNames, 'workspaces'>): void {
  if (workspaces === null || workspaces.has(name)) return;
  const names = [...workspaces].toSorted().join(', ');
  throw new UsageError(
    `workspace: ${JSON.stringify(name)} is not known; ${names === '' ? 'no workspaces are configured' : `known: ${names}`} (FLEET_WORKSPACES=name=/absolute/folder)`,
  );
}

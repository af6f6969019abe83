import { realpath } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { ConfigError } from '../errors.ts';
import type { Config } from '../config/environment.ts';
import { openWorkerBase, type WorkerBase } from '../jobs/worker/worker-base.ts';
import type { Logger } from '../process/logger.ts';
import { keepPresence } from '../swarm/presence.ts';
import { startForgettingOldTasks } from './forget.ts';
import { watchOldTasks } from './inlet.ts';
import { toAllowedVendors } from '../routing/allowed-vendors.ts';
import type { OldTaskPlace } from './old-task.ts';
import { startClaimRenewal } from './renew.ts';
import { watchHeldTasks } from './wake-held.ts';

/** Serves more of the other programs, over the bridge's connections. @returns stops it */
export type ServeBeside = (
  parts: WorkerBase & OldTaskPlace & { log: Logger },
  subscriber: Redis,
) => Promise<() => Promise<void>>;

export interface RunningBridge {
  workerId: string;
  /** Whether Redis is away: `close` would then wait for it and store nothing. */
  nothingToStore(): boolean;
  close(): Promise<void>;
}

/**
 * Runs the bridge to programs of the original fleet until it is closed: it takes the tasks that they post. Several may run at once.
 * @throws ConfigError for a workspace that is not configured; what `openWorkerBase` throws
 */
export async function runBridge(parts: {
  config: Config;
  log: Logger;
  /** What `FLEET_BRIDGE_V2` adds. */
  v2: ServeBeside;
}): Promise<RunningBridge> {
  const { config, log } = parts;
  if (config.FLEET_BRIDGE !== '1') {
    throw new ConfigError('the environment is wrong:\n  FLEET_BRIDGE: expected 1 for the process `bridge`, got 0');
  }
  const place = await toOldTaskPlace(config);
  const base = await openWorkerBase(config, { kind: 'bridge', log });
  const { db, queues, subscriber, currentSession, name, notifier } = base;
  const shared = { db, queue: queues.tasks, log };
  const stops = [
    await watchHeldTasks(shared, subscriber),
    startClaimRenewal(shared),
    startForgettingOldTasks(shared),
    await watchOldTasks({ ...shared, currentSession, ...place }, subscriber),
  ];
  const hasV2 = config.FLEET_BRIDGE_V2 === '1';
  if (hasV2) stops.push(await parts.v2({ ...base, log, ...place }, subscriber));
  const stopPresence = await keepPresence({ db, name, log });
  log.info({ workerId: name.id, workspace: place.workspace, v2: hasV2 }, 'ready');
  return {
    workerId: name.id,
    nothingToStore: () => db.redis.status !== 'ready',
    async close() {
      await Promise.all(stops.map((stop) => stop()));
      await stopPresence();
      await notifier.flush();
      await base.closeConnections();
    },
  };
}

/** Where tasks of other programs work. @throws ConfigError @public */
export async function toOldTaskPlace({
  FLEET_BRIDGE_WORKSPACE: workspace,
  FLEET_WORKSPACES: known,
  workspaceVendors,
}: Pick<Config, 'FLEET_BRIDGE_WORKSPACE' | 'FLEET_WORKSPACES' | 'workspaceVendors'>): Promise<OldTaskPlace> {
  if (workspace === undefined) return { workspace: null, root: null, vendors: null };
  const folder = Object.hasOwn(known, workspace) ? known[workspace] : undefined;
  if (folder === undefined) {
    const names = Object.keys(known).join(', ') || 'none';
    throw new ConfigError(
      `the environment is wrong:\n  FLEET_BRIDGE_WORKSPACE: expected a name of FLEET_WORKSPACES (${names}), got ${JSON.stringify(workspace)}`,
    );
  }
  const vendors = toAllowedVendors({ workspace }, workspaceVendors);
  return { workspace, root: await realpath(folder).catch(() => folder), vendors };
}

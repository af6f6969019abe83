import { hostname } from 'node:os';
import { toLocalTimestamp } from '../findings/timestamp.ts';
import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';

/** SPEC: the status key expires after 60 s and is refreshed at least every 20 s. */
const EXPIRE_SECONDS = 60;
const REFRESH_MS = 15_000;
/** How long changes are gathered: a busy worker starts hundreds of jobs a second. */
const GATHER_MS = 250;

export interface Heartbeat {
  /** Writes what the worker holds now. */
  beat(): Promise<void>;
  /** A job started or ended: writes it soon, once for many. */
  touch(): void;
  /** Removes the worker's keys: it is gone, not silent. */
  stop(): Promise<void>;
}

/**
 * Keeps `worker:status:*` and `worker:tasks:*` true from a timer of its own, so that a job of an hour looks as alive as
 * an idle worker.
 */
export function startHeartbeat(options: {
  db: Db;
  log: Logger;
  workerId: string;
  slots: number;
  workspaces: string[];
  activeJobs: () => string[];
  /** Keeps the worker's name taken. */
  hold: () => Promise<void>;
}): Heartbeat {
  const { log, workerId, slots, workspaces, activeJobs, hold } = options;
  const { redis, keys } = options.db;
  const startedAt = new Date().toISOString();
  let stopped = false;
  let soon: NodeJS.Timeout | undefined;

  async function beat(): Promise<void> {
    if (stopped) return;
    const now = new Date();
    const active = activeJobs();
    const entry = {
      id: workerId,
      kind: 'haiku',
      host: hostname(),
      pid: process.pid,
      slots,
      active,
      workspaces,
      startedAt,
    };
    const chain = redis
      .multi()
      .set(keys.workerStatus(workerId), toLocalTimestamp(now), 'EX', EXPIRE_SECONDS)
      .hset(keys.workers, workerId, JSON.stringify({ ...entry, seenAt: now.getTime() }))
      .del(keys.workerTasks(workerId));
    if (active.length > 0)
      chain.rpush(keys.workerTasks(workerId), ...active).expire(keys.workerTasks(workerId), EXPIRE_SECONDS);
    await chain.exec();
    await hold();
  }

  function beatQuietly(): void {
    soon = undefined;
    beat().catch((error: unknown) => log.warn({ error }, 'heartbeat failed'));
  }

  const timer = setInterval(beatQuietly, REFRESH_MS);

  return {
    beat,
    touch() {
      if (!stopped) soon ??= setTimeout(beatQuietly, GATHER_MS);
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      clearTimeout(soon);
      await redis
        .multi()
        .del(keys.workerStatus(workerId), keys.workerTasks(workerId))
        .hdel(keys.workers, workerId)
        .exec();
    },
  };
}

import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import { toLocalTimestamp } from '../findings/timestamp.ts';
import type { Logger } from '../logger.ts';
import type { Keys } from '../redis/keys.ts';

/** SPEC: the status key expires after 60 s and is refreshed at least every 20 s. */
const EXPIRE_SECONDS = 60;
const REFRESH_MS = 15_000;

export interface Heartbeat {
  /** Writes what the worker holds now; called on its own timer and whenever a job starts or ends. */
  beat(): Promise<void>;
  /** Removes the worker's keys: it is gone, not silent. */
  stop(): Promise<void>;
}

/**
 * Keeps `worker:status:*` and `worker:tasks:*` true from a timer of its own, so that a job of an hour looks as alive as
 * an idle worker.
 */
export function startHeartbeat(options: {
  redis: Redis;
  keys: Keys;
  log: Logger;
  workerId: string;
  slots: number;
  workspaces: string[];
  activeJobs: () => string[];
  /** Keeps the worker's name taken. */
  hold: () => Promise<void>;
}): Heartbeat {
  const { redis, keys, log, workerId, slots, workspaces, activeJobs, hold } = options;
  const startedAt = new Date().toISOString();
  let stopped = false;

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

  const timer = setInterval(() => {
    beat().catch((error: unknown) => log.warn({ error }, 'heartbeat failed'));
  }, REFRESH_MS);

  return {
    beat,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await redis
        .multi()
        .del(keys.workerStatus(workerId), keys.workerTasks(workerId))
        .hdel(keys.workers, workerId)
        .exec();
    },
  };
}

import { hostname } from 'node:os';
import { z } from 'zod';
import { toLocalTimestamp } from '../findings/timestamp.ts';
import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';
import type { LiveWorker } from './types.ts';

/** A worker whose last heartbeat is older is gone. Its public keys expire after the same time. Source: SPEC. */
const GONE_AFTER_MS = 60_000;
/** SPEC allows 20 s. */
const REFRESH_MS = 15_000;
/** How long changes are gathered: a busy worker starts hundreds of jobs a second. */
const GATHER_MS = 250;

/** What `keys.workers` holds of one worker. */
const workerSchema = z.object({
  id: z.string(),
  host: z.string().default(''),
  pid: z.number().default(0),
  slots: z.number().default(0),
  active: z.array(z.string()).default([]),
  workspaces: z.array(z.string()).default([]),
  programs: z.array(z.string()).nullable().default(null),
  startedAt: z.coerce.string().default(''),
  seenAt: z.number(),
}) satisfies z.ZodType<LiveWorker>;

export interface Heartbeat {
  /** Writes the worker's record. */
  beat(): Promise<void>;
  /** Writes the record soon, because a job started or ended; once for many. */
  touch(): void;
  /** Removes the record: the worker has ended. */
  stop(): Promise<void>;
}

/**
 * Keeps the record of one Haiku worker current: `worker:status:*` and `worker:tasks:*` for other programs, and its entry in
 * `keys.workers`. A timer writes them, so that a worker in a call of an hour is as live as an idle one.
 */
export function startHeartbeat(options: {
  db: Db;
  log: Logger;
  workerId: string;
  slots: number;
  workspaces: string[];
  programs: string[];
  activeJobs: () => string[];
  /** Called with each heartbeat: keeps the worker's name taken. */
  hold: () => Promise<void>;
}): Heartbeat {
  const { log, workerId, slots, workspaces, programs, activeJobs, hold } = options;
  const { redis, keys } = options.db;
  const startedAt = new Date().toISOString();
  let stopped = false;
  let soon: NodeJS.Timeout | undefined;

  async function beat(): Promise<void> {
    if (stopped) return;
    const now = new Date();
    const active = activeJobs();
    const worker: LiveWorker & { kind: string } = {
      id: workerId,
      kind: 'haiku',
      host: hostname(),
      pid: process.pid,
      slots,
      active,
      workspaces,
      programs,
      startedAt,
      seenAt: now.getTime(),
    };
    const chain = redis
      .multi()
      .set(keys.workerStatus(workerId), toLocalTimestamp(now), 'PX', GONE_AFTER_MS)
      .hset(keys.workers, workerId, JSON.stringify(worker))
      .del(keys.workerTasks(workerId));
    if (active.length > 0)
      chain.rpush(keys.workerTasks(workerId), ...active).pexpire(keys.workerTasks(workerId), GONE_AFTER_MS);
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

/** The live Haiku workers, by id. */
export async function readWorkers({ redis, keys }: Db, nowMs = Date.now()): Promise<LiveWorker[]> {
  return parseWorkers(await redis.hgetall(keys.workers), nowMs);
}

/** As `readWorkers`, of what `keys.workers` holds. A damaged record counts as a worker that is gone. */
export function parseWorkers(records: Record<string, string>, nowMs: number): LiveWorker[] {
  return Object.values(records)
    .map((text) => workerSchema.safeParse(parseJson(text)).data)
    .filter((worker) => worker !== undefined)
    .filter((worker) => nowMs - worker.seenAt < GONE_AFTER_MS)
    .sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

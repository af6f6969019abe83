import { hostname } from 'node:os';
import { z } from 'zod';
import { readVersion } from '../config/package-folder.ts';
import { toLocalTimestamp } from '../findings/timestamp.ts';
import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';
import { noteHostClock } from './host-clocks.ts';
import type { LiveWorker } from './types.ts';

/** A worker whose last heartbeat is older is gone. Its public keys expire after the same time. Source: SPEC. */
export const GONE_AFTER_MS = 60_000;
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
  vendors: z.record(z.string(), z.array(z.string())).catch({}),
  version: z.string().optional().catch(undefined),
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
  /** The vendors that its configuration allows for a workspace, by its name. */
  vendors?: Record<string, string[]>;
  activeJobs: () => string[];
  /** Called with each heartbeat: keeps the worker's name taken. */
  hold: () => Promise<void>;
}): Heartbeat {
  const { log, workerId, slots, workspaces, programs, vendors = {}, activeJobs, hold } = options;
  const { redis, keys, clock } = options.db;
  const startedAt = clock.date().toISOString();
  const version = readVersion();
  let stopped = false;
  let soon: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let isChanged = false; // since the beat under way began

  async function beat(): Promise<void> {
    if (stopped) return;
    const now = clock.date();
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
      vendors,
      version,
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
    await noteHostClock(options.db);
    await hold();
  }

  /** Never twice at once: beats wait while Redis is full or away, and each that waits is sent again and again. */
  function beatQuietly(): void {
    soon = undefined;
    if (running !== null) {
      isChanged = true;
      return;
    }
    running = beat()
      .catch((error: unknown) => log.warn({ error }, 'heartbeat failed'))
      .finally(() => {
        running = null;
        if (isChanged) touch();
        isChanged = false;
      });
  }

  function touch(): void {
    if (!stopped) soon ??= setTimeout(beatQuietly, GATHER_MS);
  }

  const timer = setInterval(beatQuietly, REFRESH_MS);

  return {
    beat,
    touch,
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
export async function readWorkers({ redis, keys, clock }: Db): Promise<LiveWorker[]> {
  return parseWorkers(await redis.hgetall(keys.workers), clock.now());
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

/** The id and the last sign of life, ms since 1970, of each worker that did not end by itself. @param records what `keys.workers` holds */
export function toLastSigns(records: Record<string, string>): [id: string, seenAt: number][] {
  return Object.values(records).flatMap((text) => {
    const { data } = workerSchema.safeParse(parseJson(text));
    return data === undefined ? [] : [[data.id, data.seenAt] as [string, number]];
  });
}

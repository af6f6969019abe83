import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { promoteById } from '../jobs/wake/promote.ts';
import { scanHash } from '../ledger/scan-hash.ts';
import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { startUpkeep } from '../swarm/upkeep.ts';

/** How often the waiting tasks are looked at: an old worker may store a result and announce nothing. */
const LOOK_EVERY_MS = 2_000;
const PAGE = 200;

const heldSchema = z.object({ job: z.string(), result: z.string().catch('') });

export interface HeldWakerParts {
  db: Db;
  /** The tasks queue. */
  queue: Queue;
  log: Logger;
}

/**
 * Wakes jobs whose task another program's worker has claimed: at once when it announces the end, else soon after its result is there or
 * its claim is gone.
 * @param subscriber a connection that only subscribes
 * @returns stops it
 */
export async function watchHeldTasks(parts: HeldWakerParts, subscriber: Redis): Promise<() => Promise<void>> {
  const { db, log } = parts;
  const { keys } = db;
  let ended = new Set<string>();
  let looking: Promise<void> | null = null;

  async function look(): Promise<void> {
    while (ended.size > 0) {
      const ids = [...ended];
      ended = new Set();
      await wakeEnded(parts, ids).catch((error: unknown) =>
        log.warn({ error }, 'tasks that other workers ended were not looked at; the next look finds them'),
      );
    }
  }
  subscriber.on('message', (channel, id: string) => {
    if (channel !== keys.channelCompletions) return;
    ended.add(id);
    looking ??= look().finally(() => (looking = null));
  });
  await subscriber.subscribe(keys.channelCompletions);
  const isNeeded = async (): Promise<boolean> => (await db.redis.exists(keys.bridge('held'))) === 1;
  const what = "looking at tasks that other programs' workers have";
  const stop = startUpkeep({ db, name: 'old-held', everyMs: LOOK_EVERY_MS, what, log, isNeeded }, () =>
    wakeHeldTasks(parts),
  );
  return async () => {
    await stop();
    await looking;
  };
}

/** Most announced ends are the fleet's own: none of these waits. */
async function wakeEnded({ db, queue }: HeldWakerParts, ids: readonly string[]): Promise<void> {
  const records = await db.redis.hmget(db.keys.bridge('held'), ...ids);
  for (const [i, id] of ids.entries()) {
    const record = parseHeld(records[i]);
    if (record !== null) await wake({ db, queue }, id, record.job);
  }
}

/** Wakes those whose result is there, or whose claim is gone. @returns how many */
async function wakeHeldTasks({ db, queue }: Pick<HeldWakerParts, 'db' | 'queue'>): Promise<number> {
  const { redis, keys } = db;
  let woken = 0;
  let page: [string, string][] = [];
  const look = async (): Promise<void> => {
    const [entries, ids] = [page, page.map(([id]) => id)];
    page = [];
    const texts = await redis.mget(ids.flatMap((id) => [keys.oldTask(id, 'claimed'), keys.oldTask(id, 'result')]));
    for (const [i, [id, text]] of entries.entries()) {
      const record = parseHeld(text);
      const [claimed = null, result = null] = texts.slice(2 * i, 2 * i + 2);
      if (record === null) await redis.hdel(keys.bridge('held'), id);
      else if (claimed === null || (result ?? '') !== record.result) {
        await wake({ db, queue }, id, record.job);
        woken += 1;
      }
    }
  };
  for await (const entry of scanHash(redis, keys.bridge('held'))) {
    page.push(entry);
    if (page.length >= PAGE) await look();
  }
  if (page.length > 0) await look();
  return woken;
}

/** The record stays until the job's next run: it says whose claim ended. One whose job is gone is of no use. */
async function wake({ db, queue }: Pick<HeldWakerParts, 'db' | 'queue'>, id: string, job: string): Promise<void> {
  if (await promoteById(queue, job)) return;
  const { redis, keys } = db;
  const [there, finished] = await redis.hmget(keys.queueKey(queue.name, job), 'timestamp', 'finishedOn');
  if ((there ?? null) === null || (finished ?? null) !== null) await redis.hdel(keys.bridge('held'), id);
}

function parseHeld(text: string | null | undefined): z.output<typeof heldSchema> | null {
  return heldSchema.safeParse(parseRecord(text)).data ?? null;
}

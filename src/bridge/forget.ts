import { z } from 'zod';
import { scanHash } from '../ledger/scan-hash.ts';
import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { startUpkeep } from '../swarm/upkeep.ts';

const FORGET_EVERY_MS = 3_600_000;
const FORGET_AFTER_MS = 5 * 60_000;
/** A text that is posted again within this time after its task was removed is known. Its finding is known for ever. */
const KEEP_MS = 30 * 24 * 3_600_000;
const PAGE = 500;

const recordSchema = z.object({ id: z.string(), at: z.number().catch(0) });

/** Forgets tasks of other programs, in one process of the swarm, once an hour. @returns stops it */
export function startForgettingOldTasks({ db, log }: { db: Db; log: Logger }): () => Promise<void> {
  const what = "forgetting other programs' tasks";
  return startUpkeep(
    { db, name: 'old-forget', everyMs: FORGET_EVERY_MS, firstAfterMs: FORGET_AFTER_MS, what, log },
    () => forgetOldTasks(db, db.clock.now()),
  );
}

/** Removes what the bridge notes of tasks whose `task:<id>` is gone: of those that wait for a person at once, of others after 30 days. */
export async function forgetOldTasks(db: Db, nowMs: number): Promise<void> {
  const { keys } = db;
  const parse = (text: string) => recordSchema.safeParse(parseRecord(text)).data ?? { id: '', at: 0 };
  await sweep(db, keys.bridge('older'), (_, text) => parse(text).id);
  await sweep(db, keys.bridge('known'), (_, text) => {
    const { id, at } = parse(text);
    return at > nowMs - KEEP_MS ? null : id;
  });
  await sweep(db, keys.bridge('ends'), (id) => id, 'result');
}

/**
 * @param toId the id of the task that an entry is of; null: the entry stays
 * @param part without which an entry is of no use either
 */
async function sweep(
  { redis, keys, scripts }: Db,
  hash: string,
  toId: (field: string, text: string) => string | null,
  part?: 'result',
): Promise<void> {
  let page: { field: string; text: string; id: string }[] = [];
  const flush = async (): Promise<void> => {
    const entries = page;
    page = [];
    const chain = redis.pipeline();
    for (const { id } of entries) {
      chain.exists(
        keys.oldTask(id),
        ...(part === undefined ? [] : [keys.oldTask(id, part), keys.oldTask(id, 'claimed')]),
      );
    }
    const replies = (await chain.exec()) ?? [];
    for (const [i, { field, text }] of entries.entries()) {
      if (replies[i]?.[1] === 0) await scripts['delete-if']({ hash }, [field, text]);
    }
  };
  for await (const [field, text] of scanHash(redis, hash)) {
    const id = toId(field, text);
    if (id !== null) page.push({ field, text, id });
    if (page.length >= PAGE) await flush();
  }
  await flush();
}

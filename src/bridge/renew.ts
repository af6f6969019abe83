import { z } from 'zod';
import { tasksQueue } from '../../queues/tasks.ts';
import { readEnds } from '../jobs/state/states.ts';
import { scanHash } from '../ledger/scan-hash.ts';
import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { OLD_CLAIM_SECONDS } from '../redis/old-end.ts';
import { startUpkeep } from '../swarm/upkeep.ts';

/** A claim lives 300 s: several renewals may be missed. */
const RENEW_EVERY_MS = 30_000;
const PAGE = 200;

const claimSchema = z.object({ job: z.string() });

/**
 * Renews the claims that the fleet holds on tasks of other programs, in one process of the swarm at a time, also while their jobs wait: in
 * a halt, for a rate limit, for a budget.
 * @returns stops it
 */
export function startClaimRenewal({ db, log }: { db: Db; log: Logger }): () => Promise<void> {
  const what = "renewing the claims on other programs' tasks";
  const isNeeded = async (): Promise<boolean> => (await db.redis.exists(db.keys.bridge('claims'))) === 1;
  return startUpkeep({ db, name: 'old-claims', everyMs: RENEW_EVERY_MS, what, log, isNeeded }, () =>
    renewOldClaims(db),
  );
}

/** @returns how many claims the fleet holds */
export async function renewOldClaims(db: Db): Promise<number> {
  let held = 0;
  let page: { id: string; job: string }[] = [];
  const renew = async (): Promise<void> => {
    held += await renewPage(db, page);
    page = [];
  };
  for await (const [id, text] of scanHash(db.redis, db.keys.bridge('claims'))) {
    page.push({ id, job: claimSchema.safeParse(parseRecord(text)).data?.job ?? '' });
    if (page.length >= PAGE) await renew();
  }
  if (page.length > 0) await renew();
  return held;
}

async function renewPage(db: Db, page: readonly { id: string; job: string }[]): Promise<number> {
  const { keys, scripts } = db;
  const ends = await readEnds(
    db,
    tasksQueue.name,
    page.map(({ job }) => job),
  );
  return scripts['renew-old-claims'](
    { oldClaims: keys.bridge('claims'), claimed: page.map(({ id }) => keys.oldTask(id, 'claimed')) },
    [
      JSON.stringify({
        seconds: OLD_CLAIM_SECONDS,
        claims: page.map(({ id, job }, i) => ({ id, job, ended: ends[i]?.state !== 'open' })),
      }),
    ],
  );
}

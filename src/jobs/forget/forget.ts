import type { Queue } from 'bullmq';
import type { QueueName } from '../../../queues/registry.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import { startUpkeep } from '../../swarm/upkeep.ts';
import { dropEndedJobs } from './drop-ended-jobs.ts';
import { createEntrySweep } from './entries-without-owner.ts';
import { expireKeysWithoutOwner } from './keys-without-owner.ts';
import { forgetBatches } from './old-batches.ts';

const DROP_EVERY_MS = 60_000;
/** Each time the names of all keys are read. */
const FORGET_EVERY_MS = 3_600_000;
/** The swarm does it once an hour also where its processes start anew more often. */
const FORGET_AFTER_MS = 5 * 60_000;

export interface ForgetParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  log: Logger;
}

/**
 * Removes what no job, client, batch, mission or session needs any more, in one process of the swarm at a time. Findings and the ledger
 * stay. `docs/redis-keys.md` lists how long each key lives.
 * @returns what stops it
 */
export function startForgetting(parts: ForgetParts): (() => Promise<void>)[] {
  const { db, log } = parts;
  const forget = createForgetting(parts);
  return [
    startUpkeep({ db, name: 'ended-jobs', everyMs: DROP_EVERY_MS, what: 'removing old jobs', log }, () =>
      dropEndedJobs(parts, db.clock.now()),
    ),
    startUpkeep(
      {
        db,
        name: 'forget',
        everyMs: FORGET_EVERY_MS,
        firstAfterMs: FORGET_AFTER_MS,
        what: 'removing what is no longer needed',
        log,
      },
      () => forget(db.clock.now()),
    ),
  ];
}

/** Returns one sweep of everything but ended jobs. Some entries go only with the second sweep. */
export function createForgetting({ db }: Pick<ForgetParts, 'db'>): (nowMs: number) => Promise<void> {
  const sweepEntries = createEntrySweep(db);
  return async (nowMs) => {
    await forgetBatches(db, nowMs);
    await sweepEntries(nowMs);
    await expireKeysWithoutOwner(db, nowMs);
  };
}

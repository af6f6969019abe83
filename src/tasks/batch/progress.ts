import { NotFoundError } from '../../errors.ts';
import { BATCH_KEPT_DAYS } from '../../jobs/forget/old-batches.ts';
import { countCancelled } from '../../jobs/cancelled.ts';
import { groupParked } from '../../jobs/outcomes/parked.ts';
import { readWaitsOf } from '../../jobs/wake/read-waits.ts';
import { readBudget } from '../../ledger/budget.ts';
import type { Db } from '../../redis/db.ts';
import { readPaceFacts, toPace } from './pace.ts';
import type { BatchState } from './types.ts';
import { toStoredCount } from '../../redis/stored-record.ts';

/** Reads a batch's counters, and which of its tasks wait and for what. @throws NotFoundError if there is no such batch */
export async function readBatch(db: Db, batch: string): Promise<BatchState> {
  const { redis, keys, clock } = db;
  await assertBatch(db, batch);
  const now = clock.now();
  const [facts, completed, ended, cancelled, budget, held, recent] = await Promise.all([
    redis.hgetall(keys.batch(batch)),
    redis.zcard(keys.indexByBatch(batch)),
    redis.scard(keys.batchFailed(batch)),
    countCancelled(db, 'tasks', keys.batchFailed(batch)),
    readBudget(db, { batch }),
    readHeld(db, batch),
    readPaceFacts(redis.pipeline(), { keys, now }, batch).exec(),
  ]);
  const tasks = toStoredCount(facts['tasks']);
  const [[, count] = [], [, oldest] = []] = recent ?? [];
  return {
    batch,
    session: facts['session'] ?? '',
    createdAt: facts['createdAt'] ?? '',
    lines: toStoredCount(facts['lines']),
    tasks,
    completed,
    partial: toStoredCount(facts['partial']),
    toolErrors: toStoredCount(facts['tool_errors']),
    failed: Math.max(0, ended - cancelled),
    cancelled,
    ...held,
    pace: toPace({ count, oldest, open: tasks - completed - ended, parked: held.parked, now }),
    settledNanoUsd: budget.settled,
    ...(budget.freeLocal === undefined ? {} : { freeLocal: budget.freeLocal }),
    uncertainNanoUsd: budget.uncertain,
    limitNanoUsd: budget.limit,
  };
}

/** Reads which tasks of a batch are parked, and which wait and for what. */
export async function readHeld(db: Db, batch: string): Promise<Pick<BatchState, 'parked' | 'waits'>> {
  const isOfBatch = (jobId: string): boolean => isTaskOf(batch, jobId);
  const [marks, waits] = await Promise.all([readMarksOf(db, isOfBatch), readWaitsOf(db, isOfBatch)]);
  return { parked: marks.length, waits };
}

/** Whether the id is that of a line of the batch, as `toTaskId` makes it. */
function isTaskOf(batch: string, jobId: string): boolean {
  return jobId.startsWith(`${batch}-`) && /^\d+$/.test(jobId.slice(batch.length + 1));
}

/** What parked tasks wait for, most first. */
export type ParkedTasks = ReturnType<typeof groupParked>;

/** Reads what the parked tasks of a batch wait for. */
export async function readParkedOf(db: Db, batch: string): Promise<ParkedTasks> {
  return groupParked(await readMarksOf(db, (jobId) => isTaskOf(batch, jobId)));
}

async function readMarksOf({ redis, keys }: Db, isOfBatch: (jobId: string) => boolean): Promise<string[]> {
  const marks = new Map<string, string>(); // a scan may find one twice
  let cursor = '0';
  do {
    const [next, found] = await redis.hscan(keys.parked, cursor, 'COUNT', 1_000);
    cursor = next;
    for (let i = 0; i < found.length; i += 2) {
      const [jobId = '', mark = ''] = found.slice(i, i + 2);
      if (isOfBatch(jobId)) marks.set(jobId, mark);
    }
  } while (cursor !== '0');
  return [...marks.values()];
}

/** @throws NotFoundError if there is no batch of this name */
export async function assertBatch({ redis, keys }: Db, batch: string): Promise<void> {
  if ((await redis.exists(keys.batch(batch))) === 1) return;
  if ((await redis.exists(keys.indexByBatch(batch))) === 1) {
    throw new NotFoundError(
      `batch ${JSON.stringify(batch)}: its record was removed, ${BATCH_KEPT_DAYS} days after it was loaded; its findings stay: \`fleet findings --batch ${batch}\``,
    );
  }
  const newest = await redis.zrevrange(keys.batches, 0, 4);
  const known = newest.length === 0 ? 'there is none yet' : `the newest are ${newest.join(', ')}`;
  throw new NotFoundError(`batch ${JSON.stringify(batch)}: there is none of this name; ${known}`);
}

import { NotFoundError } from '../../errors.ts';
import { readBudget } from '../../ledger/budget.ts';
import type { Db } from '../../redis/db.ts';
import type { BatchState } from './types.ts';

/** Reads a batch's counters, in a fixed number of commands. @throws NotFoundError if there is no such batch */
export async function readBatch(db: Db, batch: string): Promise<BatchState> {
  const { redis, keys } = db;
  await assertBatch(db, batch);
  const [facts, completed, failed, budget] = await Promise.all([
    redis.hgetall(keys.batch(batch)),
    redis.zcard(keys.indexByBatch(batch)),
    redis.scard(keys.batchFailed(batch)),
    readBudget(db, { batch }, new Date()),
  ]);
  return {
    batch,
    session: facts['session'] ?? '',
    createdAt: facts['createdAt'] ?? '',
    lines: Number(facts['lines'] ?? 0),
    tasks: Number(facts['tasks'] ?? 0),
    completed,
    partial: Number(facts['partial'] ?? 0),
    toolErrors: Number(facts['tool_errors'] ?? 0),
    failed,
    settledNanoUsd: budget.settled,
    uncertainNanoUsd: budget.uncertain,
    limitNanoUsd: budget.limit,
  };
}

/** @throws NotFoundError if there is no batch of this name */
export async function assertBatch({ redis, keys }: Db, batch: string): Promise<void> {
  if ((await redis.exists(keys.batch(batch))) === 1) return;
  const newest = await redis.zrevrange(keys.batches, 0, 4);
  const known = newest.length === 0 ? 'there is none yet' : `the newest are ${newest.join(', ')}`;
  throw new NotFoundError(`batch ${JSON.stringify(batch)}: there is none of this name; ${known}`);
}

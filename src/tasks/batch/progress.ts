import type { Redis } from 'ioredis';
import { NotFoundError } from '../../errors.ts';
import { readBudget } from '../../ledger/budget.ts';
import type { Keys } from '../../redis/keys.ts';
import type { BatchState } from './types.ts';

/** Reads a batch's counters: a fixed number of commands, however many tasks it has. @throws UsageError: no such batch */
export async function readBatch(redis: Redis, keys: Keys, batch: string): Promise<BatchState> {
  await assertBatch(redis, keys, batch);
  const [facts, completed, failed, budget] = await Promise.all([
    redis.hgetall(keys.batch(batch)),
    redis.zcard(keys.indexByBatch(batch)),
    redis.scard(keys.batchFailed(batch)),
    readBudget(redis, keys, { batch }, new Date()),
  ]);
  return {
    batch,
    session: facts['session'] ?? '',
    createdAt: facts['createdAt'] ?? '',
    lines: Number(facts['lines'] ?? 0),
    tasks: Number(facts['tasks'] ?? 0),
    completed,
    failed,
    settledNanoUsd: budget.settled,
    uncertainNanoUsd: budget.uncertain,
    limitNanoUsd: budget.limit,
  };
}

/** @throws UsageError when there is no batch of this name */
export async function assertBatch(redis: Redis, keys: Keys, batch: string): Promise<void> {
  if ((await redis.exists(keys.batch(batch))) === 1) return;
  const newest = await redis.zrevrange(keys.batches, 0, 4);
  const known = newest.length === 0 ? 'there is none yet' : `the newest are ${newest.join(', ')}`;
  throw new NotFoundError(`batch ${JSON.stringify(batch)}: there is none of this name; ${known}`);
}

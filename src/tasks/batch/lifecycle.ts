import type { Db } from '../../redis/db.ts';
import type { Notifier } from '../../swarm/notify.ts';

/**
 * A batch has rounds: loading tasks into it and retrying one of its jobs begin another, so that its end is announced once
 * a round. While many of its jobs are retried, one after the other, it is held open: it has not ended in between.
 */
export async function holdOpen({ redis, keys }: Db, batch: string): Promise<void> {
  await redis.hset(keys.batch(batch), 'loaded', 0);
}

/** Ends `holdOpen`; call `noticeBatchEnd` after it. */
export async function letEnd({ redis, keys }: Db, batch: string): Promise<void> {
  await redis.hset(keys.batch(batch), 'loaded', 1);
}

/** Takes a job that is about to run again out of its batch's failures. Call it before the job can run. */
export async function noteRetryInBatch({ redis, keys }: Db, batch: string, jobId: string): Promise<void> {
  await redis.multi().srem(keys.batchFailed(batch), jobId).hincrby(keys.batch(batch), 'round', 1).exec();
}

/** Announces the batch's end if its last task has ended. Call it after a task of the batch ended, or loading did. */
export async function noticeBatchEnd({ redis, keys }: Db, batch: string, notifier: Notifier): Promise<void> {
  const chain = redis
    .pipeline()
    .hmget(keys.batch(batch), 'tasks', 'loaded', 'round')
    .zcard(keys.indexByBatch(batch))
    .scard(keys.batchFailed(batch));
  const [facts, completed, failed] = ((await chain.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  }) as [(string | null)[], number, number];
  const [tasks, loaded, round] = facts;
  const count = Number(tasks ?? 0);
  if (loaded !== '1' || count === 0 || completed + failed < count) return;
  notifier.notify(`batch:${batch}:${round ?? '0'}`, { event: 'batch-end', batch, tasks: count, completed, failed });
}

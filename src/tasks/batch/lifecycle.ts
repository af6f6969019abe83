import type { Db } from '../../redis/db.ts';
import type { Notifier } from '../../swarm/notify.ts';

/**
 * Marks a batch as not ended, while many of its jobs are retried one after the other. A batch has rounds: loading tasks
 * into it, or retrying one of its jobs, begins another, and its end is announced once a round.
 */
export async function openBatch({ redis, keys }: Db, batch: string): Promise<void> {
  await redis.hset(keys.batch(batch), 'loaded', 0);
}

/** Reverts `openBatch`; call `noticeBatchEnd` afterwards. */
export async function closeBatch({ redis, keys }: Db, batch: string): Promise<void> {
  await redis.hset(keys.batch(batch), 'loaded', 1);
}

/** Removes a job that is retried from its batch's failures, and begins a round. Call it before the job can run. */
export async function noteRetryInBatch({ redis, keys }: Db, batch: string, jobId: string): Promise<void> {
  await redis.multi().srem(keys.batchFailed(batch), jobId).hincrby(keys.batch(batch), 'round', 1).exec();
}

/** Announces the batch's end if its last task has ended. Call it after a task of the batch has ended, or its load. */
export async function noticeBatchEnd({ redis, keys }: Db, batch: string, notifier: Notifier): Promise<void> {
  const chain = redis
    .pipeline()
    .hmget(keys.batch(batch), 'tasks', 'loaded', 'round', 'partial', 'tool_errors')
    .zcard(keys.indexByBatch(batch))
    .scard(keys.batchFailed(batch));
  const [facts, completed, failed] = ((await chain.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  }) as [(string | null)[], number, number];
  const [tasks, loaded, round, partial, toolErrors] = facts;
  const count = Number(tasks ?? 0);
  if (loaded !== '1' || count === 0 || completed + failed < count) return;
  notifier.notify(`batch:${batch}:${round ?? '0'}`, {
    event: 'batch-end',
    batch,
    tasks: count,
    completed,
    partial: Number(partial ?? 0),
    with_tool_errors: Number(toolErrors ?? 0),
    failed,
  });
}

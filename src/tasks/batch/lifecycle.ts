import { randomUUID } from 'node:crypto';
import { countCancelled } from '../../jobs/cancelled.ts';
import type { Db } from '../../redis/db.ts';
import { noteActivityOnce } from '../../swarm/activity.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { toWellFormedJson } from '../../text/well-formed.ts';
import { countOf, formatCount } from '../../text/plural.ts';
import { toStoredCount } from '../../redis/stored-record.ts';

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
export async function noteRetryInBatch(db: Db, batch: string, jobId: string): Promise<void> {
  await noteLoad(db, batch, { retried: jobId, begins_round: true });
}

/** Records what was added to a batch, once, also where the client sends the command twice because its connection broke. */
export async function noteLoad(
  { keys, scripts }: Db,
  batch: string,
  change: {
    /** Lines of the file that were read, and tasks that were added. */
    lines?: number;
    added?: number;
    /** The load has ended; `seen` tasks of it exist. */
    ends?: true;
    seen?: number;
    begins_round?: boolean;
    /** A failed job that is retried. */
    retried?: string;
  },
): Promise<void> {
  const call = randomUUID();
  await scripts['note-load']({ batch: keys.batch(batch), failed: keys.batchFailed(batch), once: keys.once(call) }, [
    toWellFormedJson({ call, ...change }),
  ]);
}

/** Announces and notes the batch's end if its last task has ended. Call it after a task of the batch has ended, or its load. */
export async function noticeBatchEnd(db: Db, batch: string, notifier: Notifier): Promise<void> {
  const { redis, keys } = db;
  const chain = redis
    .pipeline()
    .hmget(keys.batch(batch), 'tasks', 'loaded', 'round', 'partial', 'tool_errors')
    .zcard(keys.indexByBatch(batch))
    .scard(keys.batchFailed(batch));
  const [facts, completed, ended] = ((await chain.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  }) as [(string | null)[], number, number];
  const [tasks, loaded, round, partial, toolErrors] = facts;
  const count = toStoredCount(tasks);
  if (loaded !== '1' || count === 0 || completed + ended < count) return;
  const cancelled = ended === 0 ? 0 : await countCancelled(db, 'tasks', keys.batchFailed(batch));
  const failed = Math.max(0, ended - cancelled);
  const mark = `batch:${batch}:${round ?? '0'}`;
  const text = `${formatCount(completed)} of ${countOf(count, 'task')} done, ${failed} failed${cancelled === 0 ? '' : `, ${cancelled} cancelled`}`;
  await noteActivityOnce(db, mark, { what: 'batch-ended', id: batch, text, batch });
  notifier.notify(mark, {
    event: 'batch-end',
    batch,
    tasks: count,
    completed,
    partial: toStoredCount(partial),
    with_tool_errors: toStoredCount(toolErrors),
    failed,
    cancelled,
  });
}

import { DelayedError } from 'bullmq';
import type { AwaitsPeersError } from '../../errors.ts';
import { delayJob } from '../redis-time.ts';
import { wakeHelped } from '../wake/helped.ts';
import { noteWait } from '../wake/note-wait.ts';
import { noteBegunDelay } from '../wake/begun-first.ts';
import { note } from './moves.ts';
import type { ThrownRun } from './types.ts';

/**
 * Delays a task until the answer to its question wakes it, or its time is over.
 * @returns the error for BullMQ
 */
export async function awaitPeers(thrown: AwaitsPeersError, run: ThrownRun): Promise<Error> {
  const { job, token, parts } = run;
  const { db, queue } = parts;
  const { redis, keys, clock } = db;
  const jobId = job.id ?? '';
  const { dueAt } = thrown;
  const waitMs = Math.max(0, dueAt - clock.now());
  await note(run, `waits ${Math.ceil(waitMs / 1000)} s at most: ${thrown.message}`, {
    kind: 'asked',
    question: thrown.message,
    until: dueAt,
  });
  await noteBegunDelay(db, jobId, dueAt);
  await delayJob(job, token, waitMs);
  await noteWait(db, { queue: job.queueName, jobId, worstNanoUsd: 0 }, { kind: 'peers' }, dueAt);
  // The answer may have come before the job was delayed. A crash here leaves that to `wakeAllHelped`.
  const helped = await redis.zmscore(keys.helped, ...thrown.calls.map((call) => `${call}|${jobId}`));
  if (helped.some((at) => at !== null)) await wakeHelped({ db, queue }, jobId);
  return new DelayedError();
}

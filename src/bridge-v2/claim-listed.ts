import { toLocalTimestamp } from '../findings/timestamp.ts';
import type { OldTask } from '../bridge/old-task.ts';
import type { Db } from '../redis/db.ts';
import { toWellFormedJson } from '../text/well-formed.ts';

/**
 * Takes a task from the list of its type, for good: nobody else finds its id there. What is taken is noted in the same step, so
 * that a process that dies then leaves it to the next one. Safe to run again for the same job.
 * @returns false: another worker has taken it
 */
export async function claimListed(
  { keys, scripts, clock }: Db,
  { jobId, stamp, parent: shard = '' }: OldTask,
): Promise<boolean> {
  const { task, type = '' } = stamp;
  const answer = await scripts['claim-listed-task'](
    { queue: keys.oldQueue(type), task: keys.oldTask(task), listed: keys.bridge('listed') },
    [toWellFormedJson([task, toMark(jobId), toLocalTimestamp(clock.date()), jobId, JSON.stringify({ task, shard })])],
  );
  return answer === 'claimed';
}

/** The worker that the task's hash names: the same, whichever process works at the job. */
function toMark(jobId: string): string {
  return `fleet_${jobId}`;
}

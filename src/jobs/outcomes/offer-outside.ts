import { DelayedError } from 'bullmq';
import { offerTasks, UNTIL_CLAIMED_MS } from '../offer.ts';
import { delayJob } from '../redis-time.ts';
import { note } from './moves.ts';
import type { ThrownRun } from './types.ts';

/**
 * Offers a task to outside workers that only they may do: a person retried or promoted it, or its lease was lost.
 * @returns the error for BullMQ
 */
export async function offerOutside(thrown: Error, run: ThrownRun): Promise<Error> {
  const { job, token, parts } = run;
  await note(run, `offered to outside workers: ${thrown.message}`, { kind: 'offered', reason: thrown.message });
  await offerTasks(parts.db, [{ id: job.id ?? '', data: job.data }]);
  await delayJob(job, token, UNTIL_CLAIMED_MS);
  return new DelayedError();
}

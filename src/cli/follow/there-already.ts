import type { QueueName } from '../../../queues/registry.ts';
import { isCancelled } from '../../jobs/cancelled.ts';
import { readJob } from '../../jobs/state/states.ts';
import type { Db } from '../../redis/db.ts';

/** What a command says of work whose id is in use. BullMQ keeps what a person cancelled with the failed. @param shown its id, as the person gave it */
export async function describeThere(
  db: Db,
  queue: QueueName,
  { id, state }: { id: string; state: string },
  shown: string = id,
): Promise<string> {
  const job = state === 'failed' ? await readJob(db, queue, id) : null;
  const isByPerson = job?.state === 'failed' && isCancelled(job.reason);
  return `${shown} is there already: ${isByPerson ? 'cancelled' : state}`;
}

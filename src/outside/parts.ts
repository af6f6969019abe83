import type { Queue } from 'bullmq';
import type { Configured } from '../tasks/known-names.ts';
import type { QueueName } from '../../queues/registry.ts';
import type { CreateRecord } from '../run-record/run-record.ts';
import type { Notifier } from '../swarm/notify.ts';
import type { Db } from '../redis/db.ts';

/** What outside workers need of a connected fleet. */
export interface OutsideParts {
  db: Db;
  /** A queue may be opened when its property is first read. */
  queues: Record<QueueName, Queue>;
  /** What this process' own configuration knows: vendors by workspace. */
  configured: Pick<Configured, 'vendors'>;
  /** Announces the end of batches. */
  notifier: Notifier;
  /** The session of a job that has no stamp. */
  currentSession: () => Promise<string>;
  /** Records what happens to the tasks. */
  createRecord: CreateRecord;
}

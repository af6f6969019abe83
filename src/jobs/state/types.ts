import type { StoredFinding } from '../../findings/types.ts';
import type { QueueName } from '../../../queues/registry.ts';

/** BullMQ's states, and `unknown` if the queue has no job of the id. */
export type JobState =
  | 'waiting'
  | 'active'
  | 'delayed'
  | 'prioritized'
  | 'waiting-children'
  | 'completed'
  | 'failed'
  | 'unknown';

/** How one of several jobs ended. */
export type JobEnd =
  | { id: string; state: 'completed'; finding: StoredFinding }
  | { id: string; state: 'failed'; reason: string } // `word: text`
  | { id: string; state: 'missing' }; // neither its job nor its finding exists

/** A job that waits for a child that has failed, or that is gone: it waits for ever. */
export interface BlockedParent {
  queue: QueueName;
  id: string;
  /** BullMQ's key of the child: `prefix:queue:id`. */
  child: string;
  /** Why the child failed; null: it is gone. */
  why: string | null;
}

/** A job scheduler of another program: it adds work, which is paid, again and again. */
export interface Scheduler {
  queue: QueueName;
  id: string;
  /** A cron pattern, or `every N s`; empty: unknown. */
  when: string;
  /** When it adds its next job, ISO 8601; null: unknown. */
  nextAt: string | null;
}

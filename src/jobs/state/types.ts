import type { StoredFinding } from '../../findings/types.ts';

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

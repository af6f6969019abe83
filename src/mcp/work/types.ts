import type { Work } from './read-work.ts';

/** What is waited for: a batch, or jobs of any queue. */
export type WorkTarget = { batch: string } | { ids: readonly string[] };

export interface WorkCounts {
  total: number;
  done: number;
  failed: number;
  /** A person cancelled it. */
  cancelled: number;
  parked: number;
  running: number;
  /** Waiting for a slot, a provider or their children. */
  open: number;
  /** Neither a job nor a finding is there. */
  missing: number;
}

/** How far some work is. */
export interface WorkView extends WorkCounts {
  /** The work, in the order of the ids or lines; null: there is so much of it that it is only counted. */
  items: Work[] | null;
  /** Of a batch: the call that adds its tasks has not ended, or its process died. */
  isLoading: boolean;
}

import type { QueueName } from '../../../queues/registry.ts';

/** Where a job is, for people. `parked`: it waits for a person or a higher budget. `cancelled`: a person ended it, which is no failure. */
export const JOB_STATES = ['running', 'waiting', 'delayed', 'parked', 'failed', 'cancelled', 'done'] as const;
export type ListedState = (typeof JOB_STATES)[number];

/** Which jobs are listed: those that fit every given field. Default of each: all jobs. */
export interface JobFilter {
  /** Words of the job's text or its id, all of them, anywhere in it, also inside a longer word; "quoted words" count as one. Case does not matter. */
  words?: string;
  /** One state, or several. */
  state?: ListedState | readonly ListedState[];
  /**
   * The word of a failure (`schema`, `timeout` …), of a wait (`money`, `model`, `shards`, `peers`, `outside`, `children`, `wait`), or of
   * what is parked (`budget`, `asks`, `planned`, `parked`).
   */
  reason?: string;
  batch?: string;
  /** Id of a mission: its tasks and questions, and its own job. */
  mission?: string;
  /** The model that did the job, or that the job names. */
  model?: string;
  /** The process, or outside worker, that had the job last. */
  worker?: string;
  client?: string;
  session?: string;
  /** Only jobs that came into their state since then: ms since 1970, by Redis' clock. */
  since?: number;
  /** Only jobs that are known to have cost more, US dollars: decimal text, or a number. */
  costAboveUsd?: number | string;
}

/** The options of `fleet.jobs`. */
export interface JobListOptions extends JobFilter {
  /** Most jobs. Default: all that fit. */
  limit?: number;
  /** Ends the iteration when it fires: it throws the signal's reason. Leaving the loop ends it, too. */
  signal?: AbortSignal;
}

/** One job of a list. */
export interface ListedJob {
  id: string;
  kind: 'task' | 'question' | 'mission';
  /** Its queue. */
  queue: QueueName;
  state: ListedState;
  /** The word of its failure, wait or parking; null: there is none. */
  reason: string | null;
  /** For people: what it waits for, why it failed, or what releases it. Null: nothing to tell. */
  why: string | null;
  /** When it came into its state: it was added, taken, or has ended. UTC instant. */
  at: string;
  /** When it was added. UTC instant. Null: its job is gone, and its finding does not tell. */
  addedAt: string | null;
  /** When a delayed job comes back by itself. UTC instant. Null: it is not delayed, or nothing but a person brings it back. */
  dueAt: string | null;
  /** Id of the model; null: none is chosen yet. */
  model: string | null;
  /** What it has cost so far, of a mission with its tasks. Decimal dollars, six decimals; null: unknown. */
  costUsd: string | null;
  /** The same, nano-dollars, exact. */
  costNanoUsd: number | null;
  batch: string | null;
  /** Id of the mission that it belongs to, or is. */
  mission: string | null;
  session: string | null;
  client: string | null;
  /** The process, or outside worker, that had it last; null: none yet. */
  worker: string | null;
  /** Id of its finding; null: it has none. */
  finding: string | null;
  /** The first 200 characters of its description, question or goal, on one line. */
  text: string;
}

/** One page of the list. */
export interface JobPage {
  /** Newest first, by `at`. */
  jobs: ListedJob[];
  /** How many jobs and findings were looked at for this page. */
  looked: number;
  /** Continues the list where this page ends. Null: there is nothing more. */
  cursor: string | null;
  /** The page ended because enough was looked at, not because it is full. */
  stoppedEarly: boolean;
}

/** How much one page reads. */
export interface PageLimits {
  /** Most jobs of the page. Default 20. */
  limit?: number;
  /** The page ends when this many jobs were looked at. Default 250,000: about a second. */
  mostLooked?: number;
  /** `cursor` of the page before. Default: the newest jobs. */
  cursor?: string;
  /** Ends the reading between two parts when it fires. */
  signal?: AbortSignal;
}

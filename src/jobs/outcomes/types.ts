import type { Job, Queue } from 'bullmq';
import type { HaltSwitch } from '../../halt/halt.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';

export interface OutcomeParts {
  db: Db;
  queue: Queue;
  halt: HaltSwitch;
  log: Logger;
  workerId: string;
  /** Model of jobs that name none: the cost of a failed one is booked to its account. */
  defaultModel?: string;
}

/** A run of a job that threw while this process has the job, and the counter of its outcome. */
export interface ThrownRun {
  job: Job;
  token: string;
  parts: OutcomeParts;
  /** Of the status; empty for failures, which are counted by their reason. */
  counter: string;
}

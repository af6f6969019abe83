import type { Job, Queue } from 'bullmq';
import type { HaltSwitch } from '../../halt/halt.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import type { RunRecord } from '../../run-record/run-record.ts';

export interface OutcomeParts {
  db: Db;
  queue: Queue;
  halt: HaltSwitch;
  log: Pick<Logger, 'error'>;
  workerId: string;
  /** Model of jobs that name none: the cost of a failed one is booked to its account. */
  defaultModel?: string;
  /** What the run has noted. Absent: nothing is recorded. */
  record?: RunRecord | undefined;
  /** Called when all models in use cool down. @returns whether the queue is held, and the job goes back to it; false: it must not be in the way */
  onAllCool?: (jobId: string) => boolean;
  /** Called when a job was delayed until calls under way have ended. */
  onMoneyAwaited?: () => void;
}

/** A run of a job that threw while this process has the job, and the counter of its outcome. */
export interface ThrownRun {
  job: Job;
  token: string;
  parts: OutcomeParts;
  /** Of the status; empty for failures, which are counted by their reason. */
  counter: string;
}

import type { QueueName } from '../../queues/registry.ts';
import type { JobState } from '../jobs/state/types.ts';
import type { RunEntry } from '../run-record/types.ts';

/** What is known of one job: a task, a question to the archive (`archive`) or a mission. */
export interface JobDetails {
  id: string;
  /** Null: no queue has it any more, or it ran without one (`fleet single`). */
  queue: QueueName | null;
  /**
   * `unknown`: no queue has it; its finding or its record is left. A failed job that a person cancelled is `cancelled`; one that waits
   * for a person, or for a higher budget of its own, is `parked`.
   */
  state: JobState | 'cancelled' | 'parked';
  /** Its description, question or goal; null: unknown. */
  text: string | null;
  /** The model that it names; null: the default one. */
  model: string | null;
  batch: string | null;
  mission: string | null;
  /** The worker that has or had it last; null: none had it yet. */
  worker: string | null;
  /** Id of its finding; null: it is not stored. */
  findingId: string | null;
  /** Why it failed; null: it has not. */
  failure: { reason: string; text: string } | null;
  /** What its calls cost so far, nano-dollars and decimal dollars; null: unknown. */
  costNanoUsd: number | null;
  costUsd: string | null;
  /** Why it does not run, and what a person does about it: an empty `command` says that no one needs to. Null: nothing holds it up. */
  waits: { why: string; command: string } | null;
  /** False: no run of it is recorded: it is older than records, its record is over, or none are kept (`FLEET_RUN_DAYS=0`). */
  isRecorded: boolean;
}

/** The options of a timeline. */
export interface TimelineOptions {
  /** Also yields what happens from now on, until the job has ended. Default false. */
  follow?: boolean;
  /** Ends the iteration when it fires. Leaving the loop ends it too. */
  signal?: AbortSignal;
}

/** One job, as `fleet.job(id)` found it. */
export interface JobReport extends JobDetails {
  /**
   * Yields what happened to the job, oldest first: `for await (const entry of job.timeline({ follow: true }))`. An outage of Redis
   * delays what is followed.
   */
  timeline(options?: TimelineOptions): AsyncIterable<RunEntry>;
}

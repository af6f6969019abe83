import type { Queue } from 'bullmq';
import type { ArchiveInput } from '../../../queues/archive.ts';
import type { MissionData } from '../../../queues/missions.ts';
import type { QueueName } from '../../../queues/registry.ts';
import type { TaskInput } from '../../../queues/tasks.ts';
import type { Config } from '../../config/environment.ts';
import type { StoredFinding } from '../../findings/types.ts';
import type { HaltSwitch } from '../../halt/halt.ts';
import type { JobTotals } from '../../ledger/types.ts';
import type { Logger } from '../../process/logger.ts';
import type { MissionPatch } from '../mission/record.ts';
import type { MissionRecord } from '../mission/types.ts';
import type { AskStructured } from '../calls/types.ts';
import type { Db } from '../../redis/db.ts';

/** How one job that a mission waited for has ended. */
export type ChildEnd = { state: 'completed'; finding: StoredFinding } | { state: 'failed'; reason: string };

/** What a mission's end is recorded as; session, cost, ids and times are added. */
export interface MissionOutcome {
  /** Any JSON: what was found. */
  result: unknown;
  /** The sources: ids of findings. */
  citations: string[];
  /** Default: the beginning of the result. */
  summary?: string;
  kind: 'mission' | 'paper';
  promptVersion: string;
  /** Model of the calls that made it. */
  model: string;
}

/** What an ended mission's job returns. */
export interface MissionEnd {
  findingId: string;
  /** Of the coordinator's own calls, nano-dollars. */
  costNanoUsd: number;
}

/**
 * What one run of one mission has to work with.
 *
 * Delivery contract: the run may die at any line and begins again at its first. What `record` stored is there then, what
 * `askStructured` paid for is answered from the store, and a child of the same id is not added again. Everything that
 * waits here ends the run (it throws), holds no slot, and the next run comes back to the same line with the answer there.
 */
export interface StepContext {
  /** Of the mission and of its job. */
  id: string;
  data: MissionData;
  session: string;
  /** Fires with the error to end with: cancelled, lock lost, out of time. */
  signal: AbortSignal;
  /** True once this process goes away: stop at the next point where nothing is lost. */
  isDraining(): boolean;

  /** Stores fields of `keys.mission(id)`. */
  record(patch: MissionPatch): Promise<void>;
  read(): Promise<MissionRecord>;
  /** Leaves a line in the job's log, with the time and this process' name. */
  note(line: string): Promise<void>;
  /** Adds to a counter of the status. */
  count(counter: string): Promise<void>;

  askStructured: AskStructured;
  /** What this mission's own calls have cost so far; known from its first `askStructured` on. */
  totals(): JobTotals;

  /**
   * Asks the archive in a query of its own, a child of the mission's job, and waits without holding a slot.
   * @param query.queryId the same id of the same mission is asked once
   * @throws the error that ends this run until the query has ended, UsageError for a question that breaks a rule
   */
  query(query: ArchiveInput & { queryId: string }): Promise<ChildEnd>;
  /** Delegates one task as job `taskId`, and waits likewise. */
  task(task: TaskInput & { taskId: string }): Promise<ChildEnd>;
  /**
   * Ends the run until every child of the job has ended; returns at once where none is open. A read before it may be
   * stale afterwards: ask again.
   */
  waitForChildren(): Promise<void>;
  /** Ends the run and puts the question to the person: state `asks`, until `releaseMission`. */
  askPerson(problem: string): Promise<never>;
  /** Ends the run of a mission that is in this state already, and waits for a person. */
  setAside(state: 'asks' | 'parked'): Promise<never>;
  /** Ends the run and begins the mission again after a while, said in its log. */
  comeBackLater(afterMs: number, why: string): Promise<never>;
  /** Records the mission's finding, once, and marks the mission as done. */
  store(outcome: MissionOutcome): Promise<MissionEnd>;

  db: Db;
  queues: Record<QueueName, Queue>;
  halt: HaltSwitch;
  config: Config;
  workerId: string;
  log: Logger;
  now(): Date;
}

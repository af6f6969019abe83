import { DelayedError, WaitingChildrenError } from 'bullmq';
import { toMessage } from '../../errors.ts';
import { delayForPerson } from '../../jobs/outcomes/park.ts';
import { promote } from '../../jobs/outcomes/parked.ts';
import type { JobRun } from '../../jobs/worker/run-worker.ts';
import { lockLost } from '../../ledger/refusals.ts';
import type { Db } from '../../redis/db.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { readMissionFields } from '../mission/record.ts';
import type { MissionRecordStore } from './record.ts';

/** BullMQ's codes for a job that this process lost: missing, lock missing, not active, another process' lock. */
const LOST_CODES = new Set([-1, -2, -3, -6]);

interface JobParts {
  db: Db;
  record: MissionRecordStore;
  notifier: Notifier;
  workerId: string;
  now(): Date;
}

/**
 * The BullMQ job of a mission during one run: its log, and every way to wait.
 *
 * A method that waits ends the run with an error and gives up the slot. The next run begins at the first line and comes to
 * the same call again.
 */
export class MissionJob {
  /** Of the job and of the mission. */
  readonly id: string;
  /** BullMQ's lock token. */
  readonly token: string;
  /** Aborts with the error to end the run with: cancelled, lock lost, out of time. */
  readonly signal: AbortSignal;
  /** True once this process shuts down: stop at the next point where nothing is lost. */
  readonly isDraining: () => boolean;
  readonly #parts: JobParts;
  readonly #run: JobRun;

  constructor(parts: JobParts, run: JobRun) {
    this.id = run.job.id ?? '';
    this.token = run.token;
    this.signal = run.signal;
    this.isDraining = () => run.isDraining();
    this.#parts = parts;
    this.#run = run;
  }

  /** Adds a line to the job's log, with the time and this process' name. */
  async log(line: string): Promise<void> {
    const { now, workerId } = this.#parts;
    await this.#run.job.log(`${now().toISOString()} ${line} (${workerId})`);
  }

  /**
   * Ends the run until every child of the job has ended; returns at once if no child is open. Read the children again
   * afterwards: an earlier read may be out of date.
   */
  async waitForChildren(): Promise<void> {
    const { job, token, signal } = this.#run;
    signal.throwIfAborted();
    if (await this.#assertOwned(job.moveToWaitingChildren(token))) throw new WaitingChildrenError();
  }

  /** Ends the run and starts the mission again after a time; logs why. */
  async delay(delayMs: number, why: string): Promise<never> {
    const { job, token } = this.#run;
    await this.log(`waits ${Math.ceil(delayMs / 1000)} s: ${why}`);
    await this.#assertOwned(job.moveToDelayed(Date.now() + delayMs, token));
    throw new DelayedError();
  }

  /** Ends the run and asks the person: the mission's state is `asks` until `resumeMission`. */
  async askPerson(problem: string): Promise<never> {
    const { db, record, notifier } = this.#parts;
    await record.patch({ state: 'asks', problem });
    await db.redis.hincrby(db.keys.counters, 'missions_asked', 1);
    await this.log(`asks: ${problem}; fleet resume ${this.id} --retry goes on`);
    notifier.notify(`asks:${this.id}:${this.#run.job.stalledCounter}:${problem}`, {
      event: 'mission-asks',
      mission: this.id,
      detail: problem,
    });
    return this.setAside('asks');
  }

  /** Ends the run of a mission whose stored state is this one already, until a person releases it. */
  async setAside(state: 'asks' | 'parked'): Promise<never> {
    const { job, token } = this.#run;
    const delayed = delayForPerson(job, token, async () => {
      const [found = null] = await readMissionFields(this.#parts.db, this.id, 'state');
      if (found !== state) await promote(job);
    });
    throw await this.#assertOwned(delayed);
  }

  /** @throws LockLostError if BullMQ answers that this process does not hold the job */
  async #assertOwned<T>(moved: Promise<T>): Promise<T> {
    try {
      return await moved;
    } catch (error) {
      const code: unknown = Reflect.get(Object(error), 'code');
      if (typeof code === 'number' && LOST_CODES.has(code)) throw lockLost(this.id);
      throw error instanceof Error ? error : new Error(toMessage(error));
    }
  }
}

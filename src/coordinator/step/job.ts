import { delayJob } from '../../jobs/redis-time.ts';
import { DelayedError, WaitingChildrenError } from 'bullmq';
import { toMessage } from '../../errors.ts';
import { isNotHeld } from '../../jobs/not-held.ts';
import { delayForPerson } from '../../jobs/outcomes/park.ts';
import { promote } from '../../jobs/wake/promote.ts';
import type { JobRun } from '../../jobs/worker/run-worker.ts';
import { lockLost } from '../../ledger/refusals.ts';
import type { Db } from '../../redis/db.ts';
import type { RunRecord } from '../../run-record/run-record.ts';
import type { ControlMessage } from '../../swarm/control.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { countOf } from '../../text/plural.ts';
import { readMissionFields } from '../mission/record.ts';
import type { MissionRecordStore } from './record.ts';
import { noteActivity } from '../../swarm/activity.ts';
import { countEvent } from '../../swarm/count-event.ts';

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
  /** What the run notes for people. Undefined: nothing is recorded. */
  readonly notes: RunRecord | undefined;
  readonly #parts: JobParts;
  readonly #run: JobRun;

  constructor(parts: JobParts, run: JobRun) {
    this.id = run.job.id ?? '';
    this.token = run.token;
    this.signal = run.signal;
    this.isDraining = () => run.isDraining();
    this.notes = run.record;
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
    this.notes?.note({ kind: 'wait', reason: 'its tasks and questions', until: null });
    if (await this.#assertOwned(job.moveToWaitingChildren(token))) throw new WaitingChildrenError();
  }

  /** Ends the run and starts the mission again after a time; logs why. */
  async delay(delayMs: number, why: string): Promise<never> {
    const { job, token } = this.#run;
    this.notes?.note({ kind: 'wait', reason: why, until: this.#parts.db.clock.now() + delayMs });
    await this.log(`waits ${Math.ceil(delayMs / 1000)} s: ${why}`);
    await this.#assertOwned(delayJob(job, token, delayMs));
    throw new DelayedError();
  }

  /** Ends the run and asks the person: the mission's state is `asks` until `resumeMission`. */
  async askPerson(problem: string): Promise<never> {
    const { db, record, notifier } = this.#parts;
    await record.patch({ state: 'asks', problem });
    await countEvent(db, 'missions_asked');
    await this.log(`asks: ${problem}; fleet resume ${this.id} --retry goes on, with an answer in words: --answer "…"`);
    notifier.notify(`asks:${this.id}:${this.#run.job.stalledCounter}:${problem}`, {
      event: 'mission-asks',
      mission: this.id,
      detail: problem,
    });
    await this.#announce('asks', problem);
    return this.setAside('asks', `asks: ${problem}`);
  }

  /** Tells that the mission is done, once. Call it after its finding is stored. */
  announceDone(finding: string): void {
    const { notifier } = this.#parts;
    notifier.notify(`mission-done:${this.id}`, { event: 'mission-done', mission: this.id, finding });
  }

  /** For people who watch. Nothing depends on it: the state is stored. */
  async #announce(type: 'planned' | 'asks', detail: string): Promise<void> {
    const { db } = this.#parts;
    const { redis, keys } = db;
    await noteActivity(db, { what: `mission-${type}`, id: this.id, text: detail, mission: this.id });
    await redis.publish(keys.control, JSON.stringify({ type, mission: this.id, detail } satisfies ControlMessage));
  }

  /**
   * Ends the run of a mission whose plan is made, and which waits until a person runs it.
   * @param why what the person decides about besides; empty: nothing
   */
  async waitForApproval(total: number, why: string): Promise<never> {
    const { db, record, notifier } = this.#parts;
    await record.patch({ state: 'planned', problem: why });
    await countEvent(db, 'missions_planned');
    await this.log(
      `waits for approval of its plan${why === '' ? '' : `: ${why}`}; fleet mission run ${this.id} runs it`,
    );
    notifier.notify(`planned:${this.id}`, { event: 'mission-planned', mission: this.id, tasks: total });
    await this.#announce(
      'planned',
      `${countOf(total, 'task')}${why === '' ? '' : `, ${why}`}; fleet mission run ${this.id} runs it`,
    );
    return this.setAside('planned', `waits for approval of its plan${why === '' ? '' : `: ${why}`}`);
  }

  /** Ends the run of a mission whose stored state is this one already, until a person releases it. */
  async setAside(state: 'asks' | 'parked' | 'planned', why = 'a person parked it'): Promise<never> {
    const { job, token } = this.#run;
    this.notes?.note({ kind: 'parked', reason: why });
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
      if (isNotHeld(error)) throw lockLost(this.id);
      throw error instanceof Error ? error : new Error(toMessage(error));
    }
  }
}

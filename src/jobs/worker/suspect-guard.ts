import { QuarantinedError, ShutdownError } from '../../errors.ts';
import type { Db } from '../../redis/db.ts';
import type { ActiveRun } from './active-run.ts';
import { ALONE_AFTER, countCrash, forgetCrashes, type CrashCount, type ProgressReader } from './crash-count.ts';
import { countEvent } from '../../swarm/count-event.ts';

/**
 * Runs a *suspect* alone in this process: a job whose worker died repeatedly at the same place without progress. No other job dies
 * with it. If chance no longer explains the deaths, the job is to blame and is quarantined.
 */
export class SuspectGuard {
  #suspect: ActiveRun | null = null;
  readonly #parts: SuspectGuardParts;

  constructor(parts: SuspectGuardParts) {
    this.#parts = parts;
  }

  get isBusy(): boolean {
    return this.#suspect !== null;
  }

  /** Whether this run must stop at its next safe point, because a suspect waits until it is alone. */
  mustMakeRoom(run: ActiveRun): boolean {
    return this.#suspect !== null && this.#suspect !== run;
  }

  /** @throws ShutdownError while a suspect runs here: another worker takes the job */
  assertFree(): void {
    if (this.#suspect !== null) throw new ShutdownError('a job that may kill its worker runs alone here');
  }

  /**
   * Checks a job whose worker died before. A suspect waits here until all other runs of this process are over.
   * @throws QuarantinedError after too many deaths, ShutdownError while another suspect runs here
   */
  async admit(run: ActiveRun): Promise<void> {
    const { db, readProgress, othersOf, setAlone } = this.#parts;
    const count = await countCrash(db, run.job, readProgress);
    if (count.isGuilty) {
      await forgetCrashes(db, run.jobId);
      await countEvent(db, 'quarantined');
      throw new QuarantinedError(describe(count));
    }
    if (count.atPlace < ALONE_AFTER) return;
    if (this.#suspect !== null) throw new ShutdownError('another job that may kill its worker runs alone here');
    this.#suspect = run;
    setAlone(true);
    await Promise.all(othersOf(run).map((other) => other.over)); // the run is at no place yet: a death now is not its own
  }

  /** Ends the exclusive time if this run had it. */
  release(run: ActiveRun): void {
    if (this.#suspect !== run) return;
    this.#suspect = null;
    this.#parts.setAlone(false);
  }
}

function describe({ place, atPlace, deaths }: CrashCount): string {
  const where = place === null ? '' : `, ${atPlace} times ${place}`;
  return `its worker died ${deaths} times while it ran and came no further${where}`;
}

interface SuspectGuardParts {
  db: Db;
  readProgress: ProgressReader | undefined;
  /** All runs of this process but this one. */
  othersOf(run: ActiveRun): ActiveRun[];
  /** True: the worker takes no further job. */
  setAlone(alone: boolean): void;
}

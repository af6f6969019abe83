import type { Db } from '../../redis/db.ts';
import { allModelsCoolMs } from '../outcomes/backoff.ts';

/** A hold that lasts so long is looked behind. */
const LOOK_BEHIND_AFTER_MS = 5_000;
const LOOK_BEHIND_EVERY_MS = 2_000;
/** Most jobs that one process takes at each such look: a queue may be long, and nearly all of it waits for the models that cool. */
const JOBS_A_LOOK = 25;

/**
 * Whether a worker takes no task because all models in use cool down. A task of a model that nobody uses yet may wait behind the others, and
 * a model may cool for an hour: a worker looks behind a hold that lasts. Of the tasks that it takes then, those that must wait are
 * delayed, and so no longer in the way.
 */
export interface QueueHold {
  /**
   * A run found that all cool down.
   * @returns whether its job goes back to the queue, which is held now; false: the job was taken to look behind the hold
   */
  begin(jobId: string): boolean;
  /** How long no task may be taken, ms; 0: one may. Asks Redis only while the queue is held. */
  remainingMs(): Promise<number>;
  /** A job was taken. */
  taken(jobId: string): void;
  /** The run of a job is over. */
  ended(jobId: string): void;
}

export function createQueueHold(db: Db, now: () => number = () => performance.now()): QueueHold {
  let heldSince: number | null = null;
  let lookedAt = 0;
  let lookedFor = 0; // jobs, at the last look
  const behind = new Set<string>(); // taken in spite of the hold, and not ended

  function end(): void {
    heldSince = null;
    behind.clear();
  }

  function mayLookBehind(since: number): boolean {
    const at = now();
    if (at - since < LOOK_BEHIND_AFTER_MS) return false;
    if (at - lookedAt >= LOOK_BEHIND_EVERY_MS) {
      lookedAt = at;
      lookedFor = 0;
    }
    lookedFor += 1;
    return lookedFor <= JOBS_A_LOOK;
  }

  return {
    begin(jobId) {
      heldSince ??= now();
      return !behind.delete(jobId);
    },
    async remainingMs() {
      if (heldSince === null) return 0;
      const ms = await allModelsCoolMs(db);
      if (ms === 0) end();
      return heldSince === null || mayLookBehind(heldSince) ? 0 : ms;
    },
    taken(jobId) {
      if (heldSince !== null) behind.add(jobId);
    },
    ended: (jobId) => void behind.delete(jobId), // a hold may last for days, and those that end behind it need none of its models
  };
}

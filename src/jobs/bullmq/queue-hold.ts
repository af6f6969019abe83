import type { Db } from '../../redis/db.ts';
import { allModelsCoolMs } from '../outcomes/backoff.ts';

/** Whether a worker takes no task because all models in use cool down. */
export interface QueueHold {
  /** A run found that all cool down. */
  begin(): void;
  /** How long no task may be taken, ms; 0: one may. Asks Redis only while the queue is held. */
  remainingMs(): Promise<number>;
}

export function createQueueHold(db: Db): QueueHold {
  let isHeld = false;
  return {
    begin: () => void (isHeld = true),
    async remainingMs() {
      if (!isHeld) return 0;
      const ms = await allModelsCoolMs(db);
      isHeld = ms > 0;
      return ms;
    },
  };
}

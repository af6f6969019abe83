import { setTimeout as sleep } from 'node:timers/promises';
import { RedisAwayError, toMessage } from '../../errors.ts';
import { findRedisFailure } from './failures.ts';

const LOOK_AGAIN_MS = 500;

/** Does a look; while no Redis answers, it looks again instead of failing. */
export type Patience = <T>(look: () => Promise<T>) => Promise<T>;

/**
 * For a person's or a script's wait over a connection that fails at once while Redis is away: the wait itself must not end with an
 * outage. @param say takes one line when Redis goes away, and one when it is back
 */
export function createPatience(say: (line: string) => void): Patience {
  return async (look) => {
    let isAway = false;
    for (;;) {
      try {
        const found = await look();
        if (isAway) say('Redis is back');
        return found;
      } catch (error) {
        if (!(error instanceof RedisAwayError) && findRedisFailure(toMessage(error))?.kind !== 'away') throw error;
        if (!isAway) say('Redis is not reachable; waiting for it');
        isAway = true;
        await sleep(LOOK_AGAIN_MS);
      }
    }
  };
}

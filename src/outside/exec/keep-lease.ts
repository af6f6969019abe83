import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseLostError, RedisUnusableError, toMessage } from '../../errors.ts';
import { toRedisError } from '../../redis/errors/redis-errors.ts';
import { renewLease } from '../lease.ts';
import type { LeaseRef } from '../types.ts';
import type { ExecParts } from './types.ts';

const AGAIN_MS = 1_000;

/** A lease that is renewed while its work lasts. */
export interface KeptLease {
  /** Fires with a LeaseLostError once the lease is lost. */
  lost: AbortSignal;
  /** Does work that may be done again, through an outage of Redis, as long as the lease lasts. */
  patiently<T>(work: () => Promise<T>): Promise<T>;
  stop(): void;
}

/** Renews a lease three times before it would end. Redis may be away meanwhile: only the lease's end loses it. */
export function keepLease(parts: ExecParts, { taskId, lease }: LeaseRef, leaseMs: number): KeptLease {
  const lost = new AbortController();
  let endsAt = performance.now() + leaseMs;
  let isBusy = false;

  const lose = (why: string): void => lost.abort(new LeaseLostError(`task ${taskId}: ${why}`));

  async function renew(): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    const askedAt = performance.now();
    try {
      await renewLease(parts, { taskId, lease, forMs: leaseMs });
      endsAt = askedAt + leaseMs;
    } catch (error) {
      if (error instanceof LeaseLostError) lost.abort(error);
      else if (performance.now() > endsAt) lose(`it could not be renewed: ${toMessage(error)}`);
    } finally {
      isBusy = false;
    }
  }

  const timer = setInterval(() => void renew(), leaseMs / 4);
  return {
    lost: lost.signal,
    async patiently(work) {
      for (;;) {
        try {
          return await work();
        } catch (thrown) {
          const error = toRedisError(thrown, parts.config.REDIS_URL);
          if (!(error instanceof RedisUnusableError) || performance.now() > endsAt) throw error;
          await sleep(AGAIN_MS);
        }
      }
    },
    stop: () => clearInterval(timer),
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { RedisUnusableError, ShutdownError, toMessage } from '../../errors.ts';
import { toRedisError } from '../../redis/errors/redis-errors.ts';
import { toConfigured } from '../../tasks/known-names.ts';
import { claimTask } from '../claim.ts';
import type { Claim } from '../types.ts';
import { execTask } from './exec-task.ts';
import type { ExecOptions, ExecParts } from './types.ts';

const LOOK_AGAIN_MS = 1_000;
/** Redis is away. */
const TRY_AGAIN_MS = 2_000;

/**
 * Claims tasks and runs a program for each, until the signal fires: then it ends the programs, and gives their tasks back.
 * @returns how many tasks it took
 */
export async function runExecWorker(
  given: Omit<ExecParts, 'configured'>,
  options: ExecOptions,
  signal: AbortSignal,
): Promise<number> {
  const parts = { ...given, configured: toConfigured(given.config) };
  const { say, slots, drain } = options;
  const running = new Set<Promise<void>>();
  const stop = new AbortController();
  const onStop = (): void => stop.abort(new ShutdownError('the worker ends'));
  signal.addEventListener('abort', onStop, { once: true });
  if (signal.aborted) onStop();
  let taken = 0;
  let said = '';

  async function claim(): Promise<Claim | null> {
    const { as, leaseMs, kind, batch, shard } = options;
    return claimTask(parts, {
      as,
      leaseMs,
      workspaces: Object.keys(parts.config.FLEET_WORKSPACES),
      ...(kind === undefined ? {} : { kind }),
      ...(batch === undefined ? {} : { batch }),
      ...(shard === undefined ? {} : { shard }),
      onNone(why) {
        if (why !== said) say(why);
        said = why;
      },
    });
  }

  async function pause(ms: number): Promise<void> {
    const woken = [...running, sleep(ms, undefined, { signal: stop.signal }).catch(() => undefined)];
    await Promise.race(woken);
  }

  while (!stop.signal.aborted) {
    if (running.size >= slots) {
      await Promise.race(running);
      continue;
    }
    try {
      const claimed = await claim();
      if (claimed === null) {
        if (drain && running.size === 0) break;
        await pause(LOOK_AGAIN_MS);
        continue;
      }
      taken += 1;
      said = '';
      say(`${claimed.task_id}: begun`);
      const run = execTask(parts, claimed, options, stop.signal).finally(() => running.delete(run));
      running.add(run);
    } catch (thrown) {
      const error = toRedisError(thrown, parts.config.REDIS_URL);
      if (!(error instanceof RedisUnusableError)) {
        onStop();
        await Promise.all(running);
        throw error;
      }
      say(toMessage(error));
      await pause(TRY_AGAIN_MS);
    }
  }
  await Promise.all(running);
  signal.removeEventListener('abort', onStop);
  return taken;
}

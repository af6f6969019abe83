import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Db } from '../../redis/db.ts';
import { isNotHeld } from '../not-held.ts';
import type { HeldJob } from './locks.ts';

/** A job that Redis handed out is running after this long, or its answer was lost. */
const SECOND_LOOK_MS = 2_000;

/**
 * Puts jobs back to waiting that Redis handed to this worker in an answer which a broken connection lost. The worker has taken
 * other jobs instead: such a job would wait until its lock expires, and then count as a death of its worker.
 * @param options.tokenPrefix how the tokens of this worker's locks begin
 * @returns stops to watch
 */
export function watchOrphans(options: {
  db: Db;
  queue: Queue;
  tokenPrefix: string;
  held: () => Iterable<HeldJob>;
  onError: (error: unknown) => void;
}): () => void {
  const { db, queue, tokenPrefix, held, onError } = options;
  const { redis, keys } = db;
  const stopped = new AbortController();
  let breaks = 0; // since the last look
  let looking: Promise<void> | undefined;

  /** The token of each job that this worker holds and does not run. */
  async function look(): Promise<Map<string, string>> {
    const ids = await redis.lrange(keys.queueKey(queue.name, 'active'), 0, -1);
    const running = new Set([...held()].map((job) => job.jobId));
    const others = ids.filter((id) => !running.has(id));
    if (others.length === 0) return new Map();
    const tokens = await redis.mget(others.map((id) => keys.jobLock(queue.name, id)));
    return new Map(others.flatMap((id, i) => (tokens[i]?.startsWith(tokenPrefix) === true ? [[id, tokens[i]]] : [])));
  }

  async function putBack(first: Map<string, string>): Promise<void> {
    const still = [...(await look())].filter(([id, token]) => first.get(id) === token); // else just handed out, or about to end
    // All at once: their locks expire soon.
    await Promise.all(
      still.map(async ([id, token]) => {
        const job = await queue.getJob(id);
        await job?.moveToWait(token).catch((error: unknown) => {
          if (!isNotHeld(error)) throw error;
        });
      }),
    );
  }

  async function lookTwice(): Promise<void> {
    while (breaks > 0 && !stopped.signal.aborted) {
      breaks = 0;
      const first = await look();
      if (first.size === 0) continue;
      await sleep(SECOND_LOOK_MS, undefined, { signal: stopped.signal, ref: false });
      await putBack(first);
    }
  }

  function onReady(): void {
    breaks += 1;
    looking ??= lookTwice()
      .catch((error: unknown) => {
        if (!stopped.signal.aborted) onError(error);
      })
      .finally(() => (looking = undefined));
  }

  redis.on('ready', onReady);
  return () => {
    redis.off('ready', onReady);
    stopped.abort();
  };
}

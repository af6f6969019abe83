import type { Db } from '../../../src/redis/db.ts';

interface Orphan {
  victim: string;
  /** By `performance.now()`. */
  since: number;
}

const LOOK_EVERY_MS = 100;

/** Measures how long the jobs of killed processes wait until another process has them. */
export class Recovery {
  readonly #db: Db;
  readonly #backAt: () => number;
  readonly #orphans = new Map<string, Orphan>(); // by key of the job
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();
  /** One for each job that was taken again, ms. */
  readonly times: number[] = [];

  /** @param backAt when Redis was last back: a job cannot be taken before */
  constructor(db: Db, backAt: () => number) {
    this.#db = db;
    this.#backAt = backAt;
    let busy = false;
    this.#timer = setInterval(() => {
      if (busy) return;
      busy = true;
      this.#looking = this.#look()
        .catch(() => undefined) // Redis is away
        .finally(() => (busy = false));
    }, LOOK_EVERY_MS);
  }

  get openCount(): number {
    return this.#orphans.size;
  }

  /** The jobs that a process held when it was killed. */
  async note(queue: string, victim: string): Promise<number> {
    const { redis, keys } = this.#db;
    const active = await redis.lrange(keys.queueKey(queue, 'active'), 0, -1);
    const jobs = active.map((id) => keys.queueKey(queue, id));
    const holders = await Promise.all(jobs.map((key) => redis.hget(key, 'pb')));
    const held = jobs.filter((_, i) => holders[i] === victim);
    for (const key of held) this.#orphans.set(key, { victim, since: performance.now() });
    return held.length;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    for (const [key, { victim, since }] of this.#orphans) {
      const [holder, finished] = await this.#db.redis.hmget(key, 'pb', 'finishedOn');
      if (holder === victim && finished === null) continue;
      this.#orphans.delete(key);
      this.times.push(performance.now() - Math.max(since, this.#backAt()));
    }
  }
}

/** @param share 0.99 for the 99th percentile. @returns 0 where there are no values */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

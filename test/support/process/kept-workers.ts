import type { TestRedis } from '../redis/use-redis.ts';
import { startWorkerProcess, type WorkerProcess, type WorkerProcessOptions } from './worker-process.ts';

/** Workers in places; each place has another one after its worker was killed, as with pm2. */
export interface KeptWorkers {
  /** The worker of this place; undefined while the next one starts. */
  at(place: number): WorkerProcess | undefined;
  /** How many were killed. */
  deaths(): number;
  /** How long the last one took until it was ready, ms: on a busy machine much longer. */
  startMs(): number;
  /** Starts no more. */
  stop(): void;
}

/**
 * What a new swarm of workers that are killed may spend a day: each call that dies with its worker stays uncertain at its worst case, of
 * Gemini 8 cents. Some sixty of them fill the default budget, and then the model waits for a person.
 */
export const KILLED_BUDGET_USD = '1000';

/** Starts a built worker in each place. They end with the test. */
export async function startKeptWorkers(
  redis: TestRedis,
  places: number,
  given: Omit<WorkerProcessOptions, 'id'>,
): Promise<KeptWorkers> {
  const options = { ...given, env: { FLEET_BUDGET_USD: KILLED_BUDGET_USD, ...given.env } };
  const workers: (WorkerProcess | undefined)[] = [];
  let started = 0;
  let deaths = 0;
  let startMs = 0;
  let isOver = false;
  const stop = (): void => {
    isOver = true;
  };
  redis.cleanup(stop);

  const again = (place: number): void => {
    if (isOver) return;
    deaths += 1;
    workers[place] = undefined;
    void start(place);
  };
  async function start(place: number): Promise<void> {
    started += 1;
    // A job that kills its worker may do so before the worker says that it is ready.
    const beganAt = performance.now();
    const worker = await startWorkerProcess(redis, { ...options, id: `w${started}` }).catch(() => null);
    if (worker === null || worker.hasEnded()) return again(place);
    worker.child.once('exit', () => again(place));
    workers[place] = worker;
    startMs = performance.now() - beganAt;
  }
  await Promise.all(Array.from({ length: places }, (_, place) => start(place)));
  return { at: (place) => workers[place], deaths: () => deaths, startMs: () => startMs, stop };
}

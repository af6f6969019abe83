import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readAssistStamp } from '../../../queues/assist.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { startKeptWorkers } from '../../support/process/kept-workers.ts';
import { createRandom, takeSeed } from '../../support/random.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

/** The long form: `FLEET_TEST_ASKERS=100`. */
const ASKERS = Number(process.env['FLEET_TEST_ASKERS'] ?? 20);
const KILL_EVERY_MS = 2_000;
const WORKERS = 2;
/** Calls that are served between two kills, at least. */
const CALLS_BETWEEN = 6;
const BUDGET_USD = 0.5;

const redis = useRedis();

test(
  'each asker is answered once and stays within its budget while a worker is killed every two seconds',
  { timeout: 300_000 + ASKERS * 10_000 },
  async () => {
    const random = createRandom(takeSeed('kill -9 among askers'));
    const fleet = await useSimulatedFleet(redis, { workers: 0, simulator: { logLimit: 100_000, latencyMs: 100 } });
    const { queue, simulator } = fleet;
    const workers = await startKeptWorkers(redis, WORKERS, { provider: simulator.url, slots: 2 });
    const inputs = Array.from({ length: ASKERS }, (_, i) => ({
      description: `Ask your peers: question ${i + 1}`,
      budget_usd: BUDGET_USD,
    }));
    const ids = new Set(inputs.map((_, i) => `asker-${i + 1}`));
    await fleet.tasks.addMany(inputs, { batch: 'asker' });

    const { keys } = redis;
    const isDone = async (): Promise<boolean> => (await redis.redis.zcard(keys.indexByBatch('asker'))) === ASKERS;
    const countServed = (): number => simulator.requests().filter((request) => request.served).length;
    let kills = 0;
    let servedBefore = 0;
    for (let place = 0; !(await isDone()); place += 1) {
      // A slow machine starts workers slowly: each death follows some work.
      const hasWorked = async (): Promise<boolean> => countServed() >= servedBefore + CALLS_BETWEEN || (await isDone());
      await waitUntil(hasWorked, {
        timeoutMs: 120_000,
        what: `progress after ${kills} kills and ${countServed()} calls`,
      });
      servedBefore = countServed();
      await sleep(random(KILL_EVERY_MS * 0.8, KILL_EVERY_MS * 1.2)); // the random part: it waits for no condition
      const victim = workers.at(place % WORKERS);
      if (victim === undefined) continue;
      await victim.end('SIGKILL');
      kills += 1;
    }
    console.log(`${kills} kills among ${ASKERS} askers`);
    await waitUntil(async () => (await queue.getJobCountByTypes('wait', 'active', 'delayed')) === 0, {
      timeoutMs: 90_000,
      what: 'the end of every assist task',
    });

    const findings = await fleet.findings.list({ batch: 'asker', limit: ASKERS + 1 });
    expect(new Set(findings.map(({ job_id: id }) => id))).toEqual(ids);
    expect(findings).toHaveLength(ASKERS);
    for (const { result, task, citations } of findings) {
      expect(result).toEqual(expect.stringContaining(`About “${String(task).slice('Ask your peers: '.length)}”`));
      expect(citations.length).toBeGreaterThan(0);
    }
    // No asker failed. An assist task that had begun ends before its next call once its question is closed.
    const failed = await queue.getFailed();
    expect(
      failed.filter(
        ({ data, failedReason }) => readAssistStamp(data) === null || !failedReason.startsWith('cancelled'),
      ),
    ).toEqual([]);

    // What was spent for one asker, by it and by its peers, whether a kill lost the reply or not.
    const spent = new Map<string, number>();
    for (const { user, served, billNanoUsd } of simulator.requests()) {
      const asker = /^asker-\d+/.exec(user ?? '')?.[0];
      if (!served || asker === undefined) continue;
      spent.set(asker, (spent.get(asker) ?? 0) + billNanoUsd);
    }
    expect(new Set(spent.keys())).toEqual(ids);
    expect(Math.max(...spent.values())).toBeLessThanOrEqual(BUDGET_USD * 1e9);
    const books = await readBooks(redis);
    expect(books).toMatchObject({ reserved: 0, openReservations: 0 });
    expect(await redis.redis.exists(keys.helped)).toBe(0);
    workers.stop();
  },
);

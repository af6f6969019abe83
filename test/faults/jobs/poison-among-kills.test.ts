import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { POISON } from '../../support/fleet/poison.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { startKeptWorkers } from '../../support/process/kept-workers.ts';
import { createRandom, takeSeed } from '../../support/random.ts';
import { readBooks, toBills } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitForProgress, waitUntil } from '../../support/wait.ts';

/** The long form: `FLEET_TEST_TASKS=3000 FLEET_TEST_KILLS=1000000`, which kills until all is done. */
const TASKS = Number(process.env['FLEET_TEST_TASKS'] ?? 120);
const KILLS = Number(process.env['FLEET_TEST_KILLS'] ?? 20);
/** A kill a second; on a machine where a process needs longer to start, a kill in that time: else none would run long enough to end a turn. */
const KILL_EVERY_MS = 1_000;
const PROCESSES = 4;
const SLOTS = 10;
const POISON_PLACE = 20;
/** On a very busy machine; the times that it takes are printed. */
const WITHIN_MS = 600_000;

const redis = useRedis();

test(
  'blames only the job that kills its workers while others kill one a second',
  { timeout: 900_000 + TASKS * 10_000 },
  async () => {
    const random = createRandom(takeSeed('poison among kills'));
    const fleet = await useSimulatedFleet(redis, {
      workers: 0,
      site: { 'poison.mjs': POISON, 'a.txt': 'tea\n' },
      simulator: { latencyMs: 300, logLimit: 1_000_000 },
    });
    const { simulator, queue, site: root } = fleet;
    const tasks = Array.from({ length: TASKS }, () => ({
      description: 'Describe a.txt [[turns:2]]',
      workspace: 'site',
      files: ['a.txt'],
    }));
    const poison = { description: 'Run `node poison.mjs`', workspace: 'site' };
    await fleet.tasks.addMany([...tasks.slice(0, POISON_PLACE - 1), poison, ...tasks.slice(POISON_PLACE - 1)], {
      batch: 'k',
    });
    const poisonId = `k-${POISON_PLACE}`;
    const countEnds = async (): Promise<number> => {
      const { completed = 0, failed = 0 } = await queue.getJobCounts('completed', 'failed');
      return completed + failed;
    };

    const env = { FLEET_RUN_ALLOW: 'node' };
    const workers = await startKeptWorkers(redis, PROCESSES, {
      provider: simulator.url,
      slots: SLOTS,
      workspace: root,
      env,
    });
    await waitUntil(async () => (await queue.getJob(poisonId))?.processedOn !== undefined, {
      what: 'the poison began',
    });
    const beganAt = performance.now();
    let foundMs = 0;
    const recoveredMs: number[] = [];
    const found = waitUntil(async () => (await queue.getJobState(poisonId)) === 'failed', {
      timeoutMs: WITHIN_MS,
      what: 'the quarantine of the poison',
    }).then(() => (foundMs = performance.now() - beganAt));
    const heldBy = async (id: string): Promise<string[]> => {
      const active = await queue.getActive();
      return active.flatMap((job) => (job?.processedBy === id ? [job.id ?? ''] : []));
    };
    const recoveries: Promise<unknown>[] = [found];
    const ended = new AbortController();
    const ends = waitForProgress({ done: countEnds, all: TASKS + 1, stillMs: 300_000, what: 'jobs that ended' });
    void ends.then(
      () => ended.abort(),
      () => ended.abort(), // it is awaited below
    );
    for (let kill = 0; kill < KILLS && !ended.signal.aborted; kill += 1) {
      await sleep(Math.max(KILL_EVERY_MS, workers.startMs()), undefined, { signal: ended.signal }).catch(
        () => undefined,
      );
      const worker = workers.at(random(0, PROCESSES - 1));
      if (worker === undefined) continue;
      await worker.end('SIGKILL');
      const { id } = worker;
      const killedAt = performance.now();
      const recovered = waitUntil(async () => (await heldBy(id)).length === 0, {
        timeoutMs: WITHIN_MS,
        what: `the recovery from ${id}`,
      });
      recoveries.push(recovered.then(() => recoveredMs.push(performance.now() - killedAt)));
    }
    await Promise.all([ends, ...recoveries]);
    workers.stop();
    console.log(
      `${workers.deaths()} processes died; poison found after ${Math.round(foundMs)} ms; longest recovery ${Math.round(Math.max(...recoveredMs))} ms`,
    );

    const failed = await queue.getFailed();
    expect(failed.map((job) => job.id)).toEqual([poisonId]);
    expect(failed[0]?.failedReason).toMatch(/^quarantined: its worker died \d+ times .* in tool run of turn 0$/);
    expect(await redis.redis.zcard(redis.keys.index)).toBe(TASKS);
    const books = await readBooks(redis);
    const bills = toBills(simulator.requests());
    expect(books).toMatchObject({ ledgerCalls: 2 * TASKS + 1, settled: bills.lastNano, reserved: 0 });
  },
);

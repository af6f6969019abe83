import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createRules } from '../../../src/rules/create-rules.ts';
import { toTaskId } from '../../../src/rules/fire.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { startKeptWorkers } from '../../support/process/kept-workers.ts';
import { createRandom, takeSeed } from '../../support/random.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';
import { toConfigured } from '../../../src/tasks/known-names.ts';

/** The long form: `FLEET_TEST_FINDINGS=1000 FLEET_TEST_KILLS=60`. */
const FINDINGS = Number(process.env['FLEET_TEST_FINDINGS'] ?? 100);
/** Each kills every process of the fleet. */
const KILLS = Number(process.env['FLEET_TEST_KILLS'] ?? 3);
const APART_MS = 2_000;

const redis = useRedis();

test(
  'each finding starts its task exactly once while every process is killed, time and again',
  { timeout: 180_000 + FINDINGS * 200 + KILLS * 20_000 },
  async () => {
    const random = createRandom(takeSeed('kill -9 of all that runs rules'));
    const fleet = await useSimulatedFleet(redis, { workers: 0, simulator: { logLimit: 100_000 } });
    const rules = createRules({ ...fleet.inner, configured: toConfigured({ FLEET_WORKSPACES: {}, models: [] }) });
    await rules.add('watch', {
      match: { topic: 'tea' },
      task: { description: 'Say done [[turns:1]]', topics: ['done'] },
    });
    const provider = fleet.simulator.url;
    const kept = [
      await startKeptWorkers(redis, 2, { provider, slots: 4 }),
      await startKeptWorkers(redis, 2, { provider, kind: 'coordinator' }),
    ];
    const up = () => kept.flatMap((workers) => [workers.at(0) ?? [], workers.at(1) ?? []]).flat();

    const ids = Array.from({ length: FINDINGS }, (_, i) => `f${i}`);
    let stored = 0;
    const store = async (count: number): Promise<void> => {
      for (const id of ids.slice(stored, stored + count)) await storeFindings(redis, { [id]: { topics: ['tea'] } });
      stored += count;
    };
    for (let kills = 0; kills < KILLS; kills += 1) {
      await waitUntil(() => Promise.resolve(up().length > 0), { what: 'a process', timeoutMs: 60_000 });
      await store(Math.ceil(FINDINGS / KILLS / 2));
      await sleep(random(0, APART_MS)); // the random part: it waits for no condition
      await store(Math.floor(FINDINGS / KILLS / 2));
      await Promise.all(up().map((worker) => worker.end('SIGKILL')));
    }
    await store(FINDINGS - stored);

    await waitUntil(async () => (await fleet.queue.getCompletedCount()) >= FINDINGS, {
      what: `the tasks of ${FINDINGS} findings`,
      timeoutMs: 120_000 + FINDINGS * 200,
    });
    for (const workers of kept) workers.stop();
    const counts = await fleet.queue.getJobCounts('completed', 'failed', 'waiting', 'active', 'delayed');
    expect(counts).toEqual({ completed: FINDINGS, failed: 0, waiting: 0, active: 0, delayed: 0 });
    const jobs = await fleet.queue.getCompleted();
    expect(new Set(jobs.map(({ id }) => id))).toEqual(new Set(ids.map((id) => toTaskId('watch', id))));
    const findings = await fleet.findings.list({ limit: 2 * FINDINGS + 1 });
    const done = findings.filter(({ topics }) => topics.includes('done'));
    expect(done.map(({ citations }) => citations.join()).toSorted()).toEqual(ids.toSorted());
    expect(await rules.show('watch')).toMatchObject({ fired: FINDINGS, parked: 0, problem: null });
    expect(await redis.redis.hlen(redis.keys.rulesPending)).toBe(0);
  },
);

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createOldPoster } from '../../support/bridge/old-poster.ts';
import { startOldWorker, type OldWorker } from '../../support/bridge/old-worker.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { startKeptWorkers } from '../../support/process/kept-workers.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { createRandom, takeSeed } from '../../support/random.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitForProgress, waitUntil } from '../../support/wait.ts';

/** The long form: `FLEET_TEST_TASKS=1000 FLEET_TEST_RUNS=3 FLEET_TEST_FREEZE_S=20`. */
const TASKS = Number(process.env['FLEET_TEST_TASKS'] ?? 100);
const RUNS = Number(process.env['FLEET_TEST_RUNS'] ?? 1);
const FREEZE_MS = 1_000 * Number(process.env['FLEET_TEST_FREEZE_S'] ?? 3);
const LONG_MS = 300_000 + TASKS * 2_000;
/** Announcements that no task belongs to, 2 kB each: they fill the socket of a worker that is frozen. */
const JUNK = 3_000;

/** What the old worker adds to `cost:haiku` for a task, US dollars. */
const OLD_COST = 0.0011;

const redis = useRedis();

/** A provider, a bridge and three worker processes beside it. */
async function open({ workers = 3 }: { workers?: number } = {}) {
  const fleet = await useSimulatedFleet(redis, {
    workers: 0,
    env: { FLEET_BUDGET_USD: '1000' },
    simulator: { latencyMs: 5, logLimit: 1_000_000 },
  });
  await fleet.inner.currentSession(); // its begin sets `cost:*` to zero
  const provider = fleet.simulator.url;
  const bridge = (id: string) =>
    startWorkerProcess(redis, { id, provider, kind: 'bridge', env: { FLEET_BRIDGE: '1' } });
  const start = (id: string) => startWorkerProcess(redis, { id, provider, slots: 5 });
  const started = await Promise.all(Array.from({ length: workers }, (_, i) => start(`fleet_${i}`)));
  const old = createOldPoster(redis.db);
  const idOf = (n: number): string => `t${n}`;
  const post = async (count: number, from = 0): Promise<void> => {
    for (let n = from; n < from + count; n += 1)
      await old.post(idOf(n), { description: `Say ${n} [[turns:1]]`, files: [] });
  };
  const results = async (count: number): Promise<string[]> => {
    const found = await redis.redis.mget(
      Array.from({ length: count }, (_, n) => redis.keys.oldTask(idOf(n), 'result')),
    );
    return found.filter((id) => id !== null);
  };
  const done = (count: number) =>
    waitForProgress({ done: async () => (await results(count)).length, all: count, stillMs: 400_000, what: 'results' });
  return { fleet, provider, bridge, start, started, old, post, results, done };
}

/** Each task has one finding, one result that names it, and one cost. */
async function expectEachOnce(count: number, results: string[], worker: OldWorker | null): Promise<void> {
  const keys: string[] = [];
  for await (const page of redis.redis.scanStream({ match: redis.keys.finding('*'), count: 1_000 })) {
    keys.push(...(page as string[]));
  }
  const names = [...new Set(keys)];
  expect(names).toHaveLength(count);
  expect(results).toHaveLength(count);
  expect(results.map((id) => redis.keys.finding(id)).toSorted()).toEqual(names.toSorted());
  const findings = (await redis.redis.mget(names)).map((text) => JSON.parse(text ?? '{}') as { worker_id: string });
  const byOld = findings.filter(({ worker_id }) => worker_id === worker?.id).length;
  const booked = Number(await redis.redis.hget(redis.keys.booked, 'haiku')) / 1e9;
  expect(Number(await redis.redis.get(redis.keys.cost('haiku')))).toBeCloseTo(booked + byOld * OLD_COST, 9);
  expect(booked > 0 || count === byOld).toBe(true);
  expect(worker?.ran().length ?? 0).toBe(byOld);
  expect(new Set(worker?.ran()).size).toBe(byOld);
}

test.each(Array.from({ length: RUNS }, (_, run) => run + 1))(
  'shares %d. time the tasks of old programs with an old worker that freezes meanwhile, each done once',
  { timeout: 3 * LONG_MS },
  async () => {
    const { bridge, post, results, done } = await open();
    await bridge('bridge_a');
    const worker = await startOldWorker(redis, { id: 'haiku_old', workMs: 2 });
    const half = Math.floor(TASKS / 2);
    await post(half);
    await waitUntil(() => worker.ran().length > 0, { timeoutMs: 60_000, what: 'a task of the old worker' });
    worker.child.kill('SIGSTOP');
    const frozenAt = performance.now();
    const junk = 'x'.repeat(2_000);
    for (let n = 0; n < JUNK; n += 1) await redis.redis.publish(redis.keys.channelTasks, `${n}${junk}`);
    await post(TASKS - half, half);
    await sleep(Math.max(0, FREEZE_MS - (performance.now() - frozenAt)));
    worker.child.kill('SIGCONT');
    await done(TASKS);
    const before = worker.ran().length;
    await post(TASKS); // the same texts again
    await waitUntil(async () => (await redis.redis.exists(redis.keys.workerStatus('haiku_old'))) === 1);
    await sleep(500); // for what should not happen there is no condition
    expect(worker.ran().length).toBe(before);
    await expectEachOnce(TASKS, await results(TASKS), worker);
  },
);

test(
  'does what was posted while nobody was up, and each once while all parts are killed, and through a halt',
  { timeout: 3 * LONG_MS },
  async () => {
    const random = createRandom(takeSeed('bridge kills'));
    const { fleet, provider, bridge, post, results, done } = await open({ workers: 0 });
    await (await bridge('bridge_first')).end('SIGTERM'); // its first start lists what is older: nothing
    await post(TASKS);
    const env = { FLEET_BRIDGE: '1' };
    const haiku = await startKeptWorkers(redis, 3, { provider, slots: 5 });
    const bridges = await startKeptWorkers(redis, 1, { provider, kind: 'bridge', env });
    for (let kill = 0; kill < 4; kill += 1) {
      await sleep(2_000);
      (random(1, 10) <= 3 ? bridges.at(0) : haiku.at(random(0, 2)))?.child.kill('SIGKILL');
    }
    await fleet.halt('a look');
    await sleep(1_000);
    await fleet.resume();
    await done(TASKS);
    bridges.stop();
    haiku.stop();
    await expectEachOnce(TASKS, await results(TASKS), null);
  },
);

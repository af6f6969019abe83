import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createOldPoster } from '../../support/bridge/old-poster.ts';
import { startOldWorker } from '../../support/bridge/old-worker.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

/** Longer than a claim of the old programs, which lasts 300 s: `FLEET_TEST_LONG_S=400`, seconds. Without it nothing runs here. */
const LONG_S = Number(process.env['FLEET_TEST_LONG_S'] ?? 0);
const ANNOUNCE_EVERY_MS = 10_000;

const redis = useRedis();

test.runIf(LONG_S > 0)(
  'a task that runs longer than a claim lasts, and one that waits through a halt as long, are done once, beside an old worker',
  { timeout: (3 * LONG_S + 120) * 1_000 },
  async () => {
    const idle = { FLEET_CALL_IDLE_MS: '290000' }; // the most: the task has two calls, each half as long
    const fleet = await useSimulatedFleet(redis, { workers: 0, env: idle, simulator: { latencyMs: LONG_S * 500 } });
    await fleet.inner.currentSession();
    const provider = fleet.simulator.url;
    await startWorkerProcess(redis, { id: 'bridge_a', provider, kind: 'bridge', env: { FLEET_BRIDGE: '1' } });
    await startWorkerProcess(redis, { id: 'fleet_1', provider, slots: 1, env: idle });
    const old = createOldPoster(redis.db);
    const ids = ['runs', 'waits'];
    for (const id of ids) await old.post(id, { description: `Say ${id} [[turns:2]]`, files: [] });
    const claim = (id: string): Promise<string | null> => redis.redis.get(redis.keys.oldTask(id, 'claimed'));
    await waitUntil(() => fleet.simulator.requests().length === 1, { what: 'the long call' });
    // A slot is taken for the other task when the first is done; then a halt holds it as long.
    const worker = await startOldWorker(redis, { id: 'haiku_old' });
    const running = (await claim('runs')) === null ? 'waits' : 'runs';
    const heard = new AbortController();
    const announcing = (async () => {
      while (!heard.signal.aborted) {
        await redis.redis.publish(redis.keys.channelTasks, running);
        await sleep(ANNOUNCE_EVERY_MS, undefined, { signal: heard.signal }).catch(() => undefined);
      }
    })();
    const result = (id: string): Promise<string | null> => redis.redis.get(redis.keys.oldTask(id, 'result'));
    await waitUntil(async () => (await result(running)) !== null, {
      timeoutMs: (LONG_S + 60) * 1_000,
      what: 'the end of the long task',
    });
    expect(worker.ran()).not.toContain(running);
    const held = running === 'runs' ? 'waits' : 'runs';
    await waitUntil(() => fleet.simulator.requests().length === 3 || worker.ran().includes(held), {
      what: 'the other task',
    });
    await fleet.halt('longer than a claim'); // a call that is out ends, and is stored
    await sleep(LONG_S * 1_000);
    await fleet.resume();
    await waitUntil(async () => (await result(held)) !== null, { timeoutMs: (LONG_S + 60) * 1_000, what: 'its end' });
    heard.abort();
    await announcing;
    const names = new Set<string>();
    for await (const page of redis.redis.scanStream({ match: redis.keys.finding('*') }))
      for (const key of page as string[]) names.add(key);
    expect(names.size).toBe(2);
    expect(fleet.simulator.served().calls + 2 * worker.ran().length).toBe(4); // no call was paid twice
  },
);

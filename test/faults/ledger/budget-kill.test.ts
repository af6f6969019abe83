import { expect, test } from 'vitest';
import { releaseParked } from '../../../src/jobs/outcomes/parked.ts';
import { readBudget, setBudget } from '../../../src/ledger/budget.ts';
import { toNanoUsd } from '../../../src/pricing/money.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { startWorkerProcess, type WorkerProcess } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const TASKS = 60;
const LIMIT_USD = 0.06;
/** Fewer kills than make a job a suspect, so that none is quarantined. */
const KILLS = 2;

test('workers killed in mid-call spend no more of a mission’s budget, and more money ends its tasks', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0, simulator: { latencyMs: 150 } });
  const { simulator } = fleet;
  const { db, queues } = fleet.inner;
  const { redis: connection, keys } = db;
  const mission = { mission: 'mission-a' };
  await setBudget(db, LIMIT_USD, mission);
  await queues.tasks.addBulk(
    Array.from({ length: TASKS }, (_, i) => ({
      name: 'task',
      data: { description: `Say ${i} [[turns:1]] [[tokens:1500]]`, session: 's', mission_id: 'mission-a' },
      opts: { jobId: `t-${i}` },
    })),
  );
  let next = 0;
  const start = (): Promise<WorkerProcess> =>
    startWorkerProcess(redis, { id: `haiku_poor_${(next += 1)}`, provider: simulator.url, slots: 10 });
  let worker = await start();
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const before = simulator.requests().length;
    await waitUntil(() => simulator.requests().length > before, { what: 'a call under way' });
    await worker.end('SIGKILL');
    worker = await start();
  }
  const isStill = async (): Promise<boolean> => {
    const counts = await queues.tasks.getJobCounts('active', 'waiting', 'delayed', 'completed', 'failed');
    const parked = await connection.hlen(keys.parked);
    return counts['active'] === 0 && counts['waiting'] === 0 && counts['delayed'] === parked && parked > 0;
  };
  await waitUntil(isStill, { what: 'the rest is parked', timeoutMs: 60_000 });

  const { settled, reserved, uncertain } = await readBudget(db, mission, new Date());
  const billed = simulator.served().billNanoUsd;
  expect(settled + reserved + uncertain).toBeLessThanOrEqual(toNanoUsd(LIMIT_USD));
  expect(billed).toBeLessThanOrEqual(settled + uncertain);
  expect(reserved).toBe(0);

  await setBudget(db, 5, mission);
  await releaseParked(fleet.inner, { scope: 'mission', name: 'mission-a' });
  await waitUntil(async () => (await fleet.findings.count()) === TASKS, { what: 'the end of all', timeoutMs: 60_000 });
  expect(await queues.tasks.getFailedCount()).toBe(0);
}, 150_000);

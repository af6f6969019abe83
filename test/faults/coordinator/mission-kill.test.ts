import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { assertBooksAgree } from '../../support/books/books-agree.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks, toBills } from '../../support/redis/books.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { createRandom, takeSeed } from '../../support/random.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

/** The long form: `FLEET_TEST_CHILDREN=2000`. */
const CHILDREN = Number(process.env['FLEET_TEST_CHILDREN'] ?? 300);
/** Longest life of the coordinator, from its first output. */
const LIFE_MS = 2_000;
/** Enough work for some kills, for any number of children. */
const TASK_MS = 400;
const SLOTS = 20;

const redis = useRedis();

test(
  'one synthesis, every finding and no call paid twice when the coordinator is killed all the time',
  { timeout: 120_000 + CHILDREN * 100 },
  async () => {
    const random = createRandom(takeSeed('kill -9 of the coordinator'));
    const fleet = await useSimulatedFleet(redis, { slots: SLOTS, simulator: { latencyMs: 20, logLimit: 100_000 } });
    const { simulator } = fleet;
    const goal = `Say that all is done. [[tasks:${CHILDREN}]] [[task-latency:${TASK_MS}]]`;
    const mission = await fleet.missions.add({ goal, budget_usd: 50 }, { missionId: 'm' });

    let kills = 0;
    for (;;) {
      const coordinator = await startWorkerProcess(redis, {
        id: `c${kills}`,
        kind: 'coordinator',
        provider: simulator.url,
      });
      const lifeMs = random(0, LIFE_MS); // the random part: it waits for no condition
      const isDone = await Promise.race([sleep(lifeMs).then(() => false), mission.finding().then(() => true)]);
      await coordinator.end('SIGKILL');
      if (isDone) break;
      kills += 1;
    }

    const finding = await mission.finding();
    const record = await readMission(redis.db, 'm');
    expect(record).toMatchObject({ state: 'done', counts: { total: CHILDREN, done: CHILDREN, failed: 0 } });
    expect(finding.result).toMatchObject({ counts: { done: CHILDREN } });
    expect(await fleet.findings.count()).toBe(CHILDREN + 1);
    const served = simulator.requests().filter((request) => request.served);
    const ofTasks = served.filter((request) => request.user !== 'm');
    expect(ofTasks).toHaveLength(CHILDREN);
    expect(new Set(ofTasks.map((request) => request.user)).size).toBe(CHILDREN);
    const books = await readBooks(redis);
    // Only a call that was under way when its process died may be sent again; it is counted separately.
    expect(served.length - toBills(served).turns - 1).toBeLessThanOrEqual(books.uncertainCalls); // both calls of the mission are a first turn
    expect(books).toMatchObject({ reserved: 0, openReservations: 0, ledgerCalls: CHILDREN + 2 });
    const { calls, billNanoUsd } = simulator.served();
    await assertBooksAgree(redis.db, { bill: { calls, nanoUsd: billNanoUsd } });
    expect(kills).toBeGreaterThan(2);
  },
);

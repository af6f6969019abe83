import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { resumeMission } from '../../../src/coordinator/control/resume.ts';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { releaseParked } from '../../../src/jobs/outcomes/parked.ts';
import { setBudget } from '../../../src/ledger/budget.ts';
import { startSimulator, type Simulator } from '../../../simulator/simulator.ts';
import { assertBooksAgree } from '../../support/books/books-agree.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { leaveOldWork, openOldVersion, upgradeEnvironment } from '../../support/upgrade/old-version.ts';
import { loadKeys, saveKeys } from '../../support/upgrade/stored-keys.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
/** What the version before left in Redis when it was killed. */
const FIXTURE = fileURLToPath(new URL('../../support/upgrade/old-data.json.gz', import.meta.url));
/** Folder of a built checkout of another version. */
const { FLEET_TEST_OLD_VERSION: OLD, FLEET_TEST_WRITE_FIXTURE: WRITE } = process.env;

async function startProvider(latencyMs = 5): Promise<Simulator> {
  const simulator = await startSimulator({ anthropic: { latencyMs } });
  redis.cleanup(() => simulator.close());
  return simulator;
}

function startNew(simulator: Simulator): Promise<TestFleet> {
  const env = upgradeEnvironment(redis, simulator, { FLEET_LOG_LEVEL: 'silent', FLEET_HAIKU_CONCURRENCY: '12' });
  return useFleet(redis, { env, haiku: 'http', coordinator: 'http', librarian: 'http' });
}

it('takes up what the version before stored and began, and ends all of it', { timeout: 120_000 }, async () => {
  await redis.redis.flushall();
  await loadKeys(redis.redis, FIXTURE);
  const fleet = await startNew(await startProvider());
  const { db, queues } = fleet.inner;
  await finishOldWork(fleet);

  expect((await queues.tasks.getFailed()).map(({ id = '' }) => id).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'bad-1',
    'bad-2',
  ]);
  expect(await fleet.findings.get('chosen')).toMatchObject({ finding_id: 'chosen', batch: 'done' });
  expect(await fleet.findings.get('old-hash')).toMatchObject({ result: 'An old finding about tea.' });
  expect(await db.redis.get(db.keys.context('history'))).toBe('What was decided before.');
  expect(await db.redis.hlen(db.keys.reservations)).toBe(0);
  await assertBooksAgree(db);
});

/** The jobs that have not ended, by state; empty: none. */
async function countOpen({ inner: { queues } }: TestFleet): Promise<string[]> {
  const counts = await Promise.all(
    Object.values(queues).map(async (queue) => {
      const states = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized', 'waiting-children');
      return Object.entries(states).flatMap(([state, count]) =>
        count > 0 ? [`${count} ${state} in ${queue.name}`] : [],
      );
    }),
  );
  return counts.flat();
}

/** Does what a person would do about parked work, and waits until nothing is left. */
async function finishOldWork(fleet: TestFleet): Promise<void> {
  const { db, queues } = fleet.inner;
  await setBudget(db, 1, { task: 'parked' });
  await releaseParked({ db, queues }, { scope: 'task', name: 'parked' });
  await resumeMission({ db, queues, halt: fleet.halt }, 'mission-parked', null, 'ann');
  await waitUntil(async () => (await countOpen(fleet)).length === 0, {
    timeoutMs: 60_000,
    what: 'the end of all jobs',
    orElse: () => false,
  });
  expect(await countOpen(fleet)).toEqual([]);
  for (const id of ['mission-done', 'mission-waits', 'mission-parked'])
    expect(await readMission(db, id), id).toMatchObject({ state: 'done' });
}

it.runIf(OLD !== undefined)('works beside the version before on one swarm', { timeout: 180_000 }, async () => {
  await redis.redis.flushall();
  const simulator = await startProvider(30);
  const old = await openOldVersion(redis, simulator, OLD ?? '');
  await Promise.all([old.start('haiku'), old.start('coordinator'), old.start('librarian')]);
  const fleet = await startNew(simulator);
  const before = await old.connect();
  const { db, queues } = fleet.inner;
  const TASKS = 100;
  const tasks = (text: string) =>
    Array.from({ length: TASKS }, (_, i) => ({ description: `${text} ${i} [[turns:${1 + (i % 3)}]]` }));
  await before.tasks.addMany(tasks('From the old'), { batch: 'old', budgetUsd: 50 });
  await fleet.tasks.addMany(tasks('From the new'), { batch: 'new', budgetUsd: 50 });
  const missions = await Promise.all(
    [before, fleet].map((by, i) => by.missions.add({ goal: 'Check it. [[tasks:20]]' }, { missionId: `m-${i}` })),
  );
  await Promise.all([before, fleet].map((by, i) => by.ask('What is known?', { queryId: `q-${i}` })));
  const killed = await old.start('haiku');
  await waitUntil(async () => (await fleet.findings.count()) > 40, { timeoutMs: 60_000 });
  await killed.end('SIGKILL'); // its tasks are continued by either version
  await waitUntil(async () => (await countOpen(fleet)).length === 0, {
    timeoutMs: 120_000,
    what: 'the end of all jobs',
  });
  expect(await queues.tasks.getFailedCount()).toBe(0);
  for (const { id } of missions) expect(await readMission(db, id)).toMatchObject({ state: 'done' });
  await assertBooksAgree(db);
});

it.runIf(OLD !== undefined && WRITE === '1')('writes the fixture', { timeout: 180_000 }, async () => {
  await redis.redis.flushall();
  const simulator = await startProvider(20);
  await leaveOldWork(await openOldVersion(redis, simulator, OLD ?? ''), await startProvider(3_600_000));
  expect(await saveKeys(redis.redis, '{upgrade}', FIXTURE)).toBeGreaterThan(50);
});

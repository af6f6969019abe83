import { expect, test } from 'vitest';
import { BudgetReachedError, NotFoundError, UsageError } from '../../../src/errors.ts';
import { createHaltSwitch } from '../../../src/halt/halt.ts';
import { parkMission } from '../../../src/coordinator/control/park.ts';
import { resumeMission } from '../../../src/coordinator/control/resume.ts';
import type { MissionDecision } from '../../../src/coordinator/mission/review-types.ts';
import { toOutcome } from '../../../src/jobs/outcomes/outcomes.ts';
import { retryJob } from '../../../src/tasks/repair/retry.ts';
import { createLogger } from '../../../src/process/logger.ts';
import type { Notifier } from '../../../src/swarm/notify.ts';
import { useSimulatedFleet, type SimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { takeJob } from '../../support/fleet/bare-queue.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const redis = useRedis();
const ID = 'mission-a';
const SHARD_HALT = { reason: 'shard', step: 'section 2', by: 'w', detail: 'shard 3 failed', mission: ID };

type Notices = Parameters<Notifier['notify']>[1][];

interface Stage extends SimulatedFleet {
  parts: Parameters<typeof resumeMission>[0];
  notices: Notices;
  park(): ReturnType<typeof parkMission>;
  resumeMission(choice?: MissionDecision): ReturnType<typeof resumeMission>;
  /** Tasks of the mission, `m-0` and so on. */
  addChildren(count: number, description: string): Promise<string[]>;
  state(): Promise<string | null>;
}

/** A mission whose coordinator has ended: a record and a job. */
async function openStage(options: { workers?: number; slots?: number; latencyMs?: number; state?: string } = {}) {
  const { latencyMs = 5, state = 'running', ...rest } = options;
  const fleet = await useSimulatedFleet(redis, { ...rest, simulator: { latencyMs } });
  const { inner } = fleet;
  const { db, queues } = inner;
  const { redis: connection, keys } = db;
  const notices: Notices = [];
  const notifier: Notifier = { notify: (_, notice) => notices.push(notice), flush: async () => undefined };
  const halt = createHaltSwitch(db, Object.values(queues));
  const parts = { ...inner, halt, notifier };
  await connection.hset(keys.mission(ID), { goal: 'learn', state });
  await queues.missions.add('mission', { goal: 'learn' }, { jobId: ID, delay: 3_600_000 });
  const stage: Stage = {
    ...fleet,
    parts,
    notices,
    park: () => parkMission(parts, ID, 'ada@box'),
    resumeMission: (choice) => resumeMission(parts, ID, choice ?? null, 'ada@box'),
    async addChildren(count, description) {
      const ids = Array.from({ length: count }, (_, i) => `m-${i}`);
      await queues.tasks.addBulk(
        ids.map((jobId) => ({
          name: 'task',
          data: { description, session: 's', mission_id: ID },
          opts: { jobId },
        })),
      );
      return ids;
    },
    state: () => connection.hget(keys.mission(ID), 'state'),
  };
  return stage;
}

test('parking lets running calls end, starts no other of the mission, and resuming repeats none', async () => {
  const stage = await openStage({ workers: 1, slots: 2, latencyMs: 700 });
  const ids = await stage.addChildren(9, 'Say it [[turns:3]]');
  await waitUntil(() => stage.simulator.requests().length === 2, { what: 'two calls' });
  await stage.park();
  const { keys, redis: connection } = stage.parts.db;
  await waitUntil(async () => (await connection.hlen(keys.parked)) === 9, { what: 'nine parked jobs' });

  expect(stage.simulator.requests()).toHaveLength(2);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 2, uncertainCalls: 0, reserved: 0 });
  expect(await stage.queue.getFailedCount()).toBe(0);
  const other = await stage.add('Say hello');
  await stage.until(other, 'completed'); // everything else continues

  await stage.resumeMission();
  for (const id of ids) await stage.until(id, 'completed', 30_000);
  expect(stage.simulator.requests()).toHaveLength(9 * 3 + 1);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 9 * 3 + 1, uncertainCalls: 0, reserved: 0 });
  expect(await stage.state()).toBe('running');
});

test('parking lifts the halt that the mission caused', async () => {
  const stage = await openStage({ workers: 0 });
  await stage.parts.halt.halt(SHARD_HALT);
  expect(await stage.park()).toMatchObject({ again: false, liftedHalt: true });
  expect(await stage.parts.halt.read()).toBeNull();
  expect(await stage.queue.isPaused()).toBe(false);
  expect(await stage.state()).toBe('parked');
});

test.each([
  ['a person', { reason: 'person', step: '', by: 'ada@box', detail: `no more of ${ID}` }],
  ['another mission', { ...SHARD_HALT, mission: 'mission-b' }],
])('parking and resuming leave a halt of %s', async (_, cause) => {
  const stage = await openStage({ workers: 0 });
  await stage.parts.halt.halt(cause);
  expect(await stage.park()).toMatchObject({ liftedHalt: false });
  expect(await stage.resumeMission()).toMatchObject({ liftedHalt: false });
  expect(await stage.parts.halt.read()).toMatchObject(cause);
});

test('parking is announced and stands in the job’s log, once', async () => {
  const stage = await openStage({ workers: 0 });
  await stage.park();
  expect(await stage.park()).toMatchObject({ again: true });
  expect(stage.notices).toEqual([{ event: 'mission-parked', mission: ID, by: 'ada@box' }]);
  const { logs } = await stage.parts.queues.missions.getJobLogs(ID);
  expect(logs).toEqual([expect.stringMatching(/parked by ada@box$/) as string]);
});

test('a mission that asks goes back to waiting, and counts that it was let go', async () => {
  const stage = await openStage({ workers: 0, state: 'asks' });
  const { queues } = stage.parts;
  const { redis: connection, keys } = stage.parts.db;
  expect(await stage.resumeMission('retry')).toMatchObject({ released: 1 });
  expect(await queues.missions.getJobState(ID)).toBe('waiting');
  expect(await connection.hmget(keys.mission(ID), 'state', 'releases')).toEqual(['running', '1']);
});

test('a mission that asked before it was parked is let go as one that asks', async () => {
  const stage = await openStage({ workers: 0, state: 'asks' });
  await stage.park();
  await stage.resumeMission();
  expect(await redis.redis.hget(redis.keys.mission(ID), 'releases')).toBe('1');
});

test('resuming the mission that stopped the fleet lifts its halt', async () => {
  const stage = await openStage({ workers: 0 });
  await stage.parts.halt.halt({ ...SHARD_HALT, reason: 'no-progress' });
  expect(await stage.resumeMission('retry')).toMatchObject({ liftedHalt: true });
  expect(await stage.parts.halt.read()).toBeNull();
});

test('a resume that was cut short is finished by the next', async () => {
  const stage = await openStage({ workers: 1 });
  const { keys, redis: connection } = stage.parts.db;
  await stage.park();
  const [id = ''] = await stage.addChildren(1, 'Say it [[turns:1]]');
  await stage.until(id, 'delayed');
  expect(await connection.hlen(keys.parked)).toBe(1);
  // The state that the killed process left: the mark is removed, the jobs still wait.
  await connection.hdel(keys.spend(`mission:${ID}`), 'parked');
  await connection.hset(keys.mission(ID), 'state', 'running');

  expect(await stage.resumeMission()).toMatchObject({ released: 1 });
  await stage.until(id, 'completed');
});

test('a job that is parked while its mission is resumed is not left behind', async () => {
  const stage = await openStage({ workers: 0 });
  const { queues } = stage.parts;
  const { redis: connection, keys } = stage.parts.db;
  const [id = ''] = await stage.addChildren(1, 'Say it');
  const job = await takeJob(redis, 'tasks');
  await stage.park();
  await stage.resumeMission();
  const refused = new BudgetReachedError('mission', ID, 'it was parked when the job asked', -1);
  const log = createLogger('test', 'silent');
  await toOutcome(refused, job, 'token', { ...stage.parts, queue: queues.tasks, workerId: 'w', log });
  expect(await queues.tasks.getJobState(id)).toBe('waiting');
  expect(await connection.hlen(keys.parked)).toBe(0);
});

test('a task that is set aside with its mission says so to whoever would retry it', async () => {
  const stage = await openStage({ workers: 1 });
  const { db } = stage.parts;
  const { redis: connection, keys } = db;
  await stage.park();
  const [id = ''] = await stage.addChildren(1, 'Say it [[turns:1]]');
  await stage.until(id, 'delayed');
  expect(await connection.hlen(keys.parked)).toBe(1);
  const known = { workspaces: null, contexts: new Set<string>(), catalog: createCatalog([]) };
  const retried = retryJob({ db, queue: stage.queue }, id, { by: 'ada@box', known });
  await expect(retried).rejects.toThrow('parked for its mission, which a person set aside; fleet resume mission-a');
});

test.each(['running', 'done', 'failed'])('a mission that is %s has nothing to resume', async (state) => {
  const stage = await openStage({ workers: 0, state });
  await expect(stage.resumeMission()).rejects.toThrow(UsageError);
});

test.each(['done', 'failed'])('a mission that is %s cannot be parked', async (state) => {
  const stage = await openStage({ workers: 0, state });
  await expect(stage.park()).rejects.toThrow(`mission ${ID}: is ${state}`);
});

test('a choice for papers is refused for another mission, which stays as it is', async () => {
  const stage = await openStage({ workers: 0, state: 'asks' });
  await expect(stage.resumeMission('skip-gemini')).rejects.toThrow(/--skip-gemini is for papers/);
  expect(await stage.state()).toBe('asks');
});

test('names the newest missions where there is none of this id', async () => {
  const stage = await openStage({ workers: 0 });
  await redis.redis.zadd(redis.keys.missions, 1, ID);
  const asked = resumeMission(stage.parts, 'mission-x', null, 'ada@box');
  await expect(asked).rejects.toThrow(NotFoundError);
  await expect(asked).rejects.toThrow(/the newest are mission-a/);
});

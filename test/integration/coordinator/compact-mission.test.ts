import { expect, it } from 'vitest';
import { compactParts, idsAsked, toReply } from '../../support/fleet/compaction.ts';
import { storeSessions } from '../../support/redis/store-findings.ts';
import { createMissionModel, titleOf } from '../../support/models/mission-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';
import { compactIfNeeded } from '../../../src/coordinator/compact/compact.ts';
import { beginSession } from '../../../src/swarm/session.ts';

const redis = useRedis();

const missionModel = () =>
  createMissionModel([{ id: 'one', description: 'Look into it' }], {
    task: (request) => (titleOf(request) === 'condensation' ? toReply(idsAsked(request)) : 'found'),
  });

async function openMissionFleet(model: ReturnType<typeof missionModel>) {
  await beginSession(redis.db, 'now');
  return useFleet(redis, { config: { shards: [] }, coordinator: model, haiku: model });
}

const addMission = async (fleet: Awaited<ReturnType<typeof openMissionFleet>>, id: string) =>
  fleet.missions.add({ goal: 'Say what is known' }, { missionId: id });
const stateOf = async (id: string) => redis.redis.hget(redis.keys.mission(id), 'state');
const logOf = async (fleet: Awaited<ReturnType<typeof openMissionFleet>>, id: string) =>
  (await fleet.inner.queues.missions.getJobLogs(id)).logs.join('\n');

it('condenses old findings before a mission begins, and tells in its log', async () => {
  await storeSessions(redis, { old: 5_001 });
  const model = missionModel();
  const fleet = await openMissionFleet(model);
  await addMission(fleet, 'mission-a');
  await waitUntil(async () => (await stateOf('mission-a')) === 'done', { what: 'the mission' });
  const titles = model.calls.map((call) => titleOf(call));
  expect(titles.indexOf('plan')).toBeGreaterThan(titles.lastIndexOf('condensation'));
  expect(await redis.redis.zcard(redis.keys.index)).toBeLessThanOrEqual(4_502); // its own findings are new
  expect(await logOf(fleet, 'mission-a')).toMatch(
    /5,001 live findings: the oldest are condensed down to 4500[\s\S]*condensed 550 old findings into 11 summaries; 4,462 live findings/,
  );
});

it('begins no mission while another process condenses', async () => {
  await storeSessions(redis, { old: 5_001 });
  const held: (() => void)[] = [];
  const slow = createScriptedModel(async (request) => {
    await new Promise<void>((resolve) => held.push(resolve));
    return toReply(idsAsked(request));
  });
  const compaction = compactIfNeeded(await compactParts(redis, slow));
  await waitUntil(() => held.length > 0, { what: 'a compaction under way' });
  const fleet = await openMissionFleet(missionModel());
  await addMission(fleet, 'mission-b');
  await waitUntil(async () => (await redis.redis.hget(redis.keys.counters, 'waits_compaction')) === '1');
  expect(await redis.redis.hget(redis.keys.mission('mission-b'), 'plan')).toBeNull();
  const free = setInterval(() => held.splice(0).forEach((resolve) => resolve()), 10);
  expect(await compaction).toBe('done');
  clearInterval(free);
  await waitUntil(async () => (await stateOf('mission-b')) === 'done', { what: 'the mission' });
});

it('lets missions go on where all findings are of the session in force, and says so', async () => {
  await storeSessions(redis, { now: 5_001 });
  const model = missionModel();
  const fleet = await openMissionFleet(model);
  await addMission(fleet, 'mission-c');
  await waitUntil(async () => (await stateOf('mission-c')) === 'done', { what: 'the mission' });
  expect(model.calls.some((call) => titleOf(call) === 'condensation')).toBe(false);
  expect(await logOf(fleet, 'mission-c')).toContain(
    'more than 5000: all that is left belongs to the session in force (now)',
  );
  expect((await fleet.status()).compaction).toMatchObject({ state: 'stuck' });
});

import { describe, expect, it } from 'vitest';
import { readWorkerFacts } from '../../../src/coordinator/plan/worker-facts.ts';
import { createMissionModel, promptOf, titleOf } from '../../support/models/mission-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

/** Heartbeats of live workers. */
async function beat(workers: Record<string, object>): Promise<void> {
  const records = Object.entries(workers).map(([id, worker]) => [
    id,
    JSON.stringify({ id, seenAt: Date.now(), ...worker }),
  ]);
  await redis.redis.hset(redis.keys.workers, Object.fromEntries(records) as Record<string, string>);
}

const programsFor = async (workspace: string | null) => (await readWorkerFacts(redis.db, workspace)).programs;

describe('the programs that a planner may count on', () => {
  it('are those of every worker that knows the workspace', async () => {
    await beat({
      w1: { workspaces: ['site'], programs: ['npm', 'make', 'git'] },
      w2: { workspaces: ['site', 'docs'], programs: ['make', 'npm'] },
      w3: { workspaces: ['docs'], programs: [] },
    });
    expect(await programsFor('site')).toEqual(['make', 'npm']);
    expect(await programsFor('docs')).toEqual([]);
    expect(await programsFor(null)).toEqual([]);
  });

  it('are unknown where no worker is up, or one of an older version', async () => {
    expect(await programsFor('site')).toBeNull();
    await beat({ w1: { workspaces: ['site'], programs: ['npm'] }, w2: { workspaces: ['site'] } });
    expect(await programsFor('site')).toBeNull();
  });
});

it('a planner is told programs, turns and the size of a reply', async () => {
  const model = createMissionModel([{ id: 'look', description: 'Look.' }]);
  const env = { FLEET_RUN_ALLOW: 'npm,make' };
  const fleet = await useFleet(redis, { env, site: { 'a.md': 'tea' }, config: { shards: [] }, haiku: model });
  await fleet.startCoordinator(model);
  await (await fleet.missions.add({ goal: 'Look.', workspace: 'site' }, { missionId: 'm' })).finding();
  const plan = model.calls.find((call) => titleOf(call) === 'plan');
  if (plan === undefined) throw new Error('there was no plan');
  const prompt = JSON.parse(promptOf(plan)) as { text: string }[];
  expect(prompt[0]?.text).toContain(
    '<worker>\n{"turns":30,"reply_characters":60000,"programs":["make","npm"]}\n</worker>',
  );
});

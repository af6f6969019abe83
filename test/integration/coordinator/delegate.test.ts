import { describe, expect, it } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { createMissionModel, titleOf, toPlanReply } from '../../support/models/mission-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

type MissionModel = ReturnType<typeof createMissionModel>;
const planned = (count: number, changes: object = {}) =>
  Array.from({ length: count }, (_, i) => ({
    id: `t${'model' in changes ? 's' : 'h'}${i}`,
    description: `Do ${i}`,
    ...changes,
  }));
const sonnet = { model: 'sonnet', reason: 'ambiguous requirements' };

async function openMissionFleet(model: MissionModel) {
  const fleet = await useFleet(redis, { config: { shards: [] }, coordinator: model, haiku: model });
  const run = async (id: string) => {
    await fleet.inner.queues.missions.add('mission', { goal: 'Find out.', session: 's' }, { jobId: id });
    await waitUntil(async () => ['completed', 'failed'].includes(await fleet.inner.queues.missions.getJobState(id)), {
      what: `the end of ${id}`,
    });
    const job = await fleet.inner.queues.missions.getJob(id);
    return { record: await readMission(redis.db, id), failedReason: job?.failedReason ?? '' };
  };
  return { fleet, run };
}

describe('a mission', () => {
  it('says in its finding how its work was shared out, what it cost and what was saved', async () => {
    const model = createMissionModel([...planned(18), ...planned(2, sonnet)]);
    const { fleet, run } = await openMissionFleet(model);
    const { record } = await run('mission-1');
    const { result } = (await fleet.findings.get(record?.finding ?? '')) ?? {};
    const { settled } = await readBooks(redis);
    expect(result).toMatchObject({
      delegation: { haiku_tasks: 0.9, haiku_tokens: 0.9 },
      cost: { total_usd: Math.round(settled / 1_000) / 1e6, rework_usd: 0 },
      saving: { percent: expect.any(Number) as number },
    });
    const models = model.calls.filter((call) => titleOf(call) === '').map((call) => call.model);
    expect(models.filter((name) => name === 'claude-sonnet-5-5')).toHaveLength(2);
  });

  it('sends a plan with too many Sonnet tasks back once, then fails with the reply attached', async () => {
    const model = createMissionModel([...planned(3), ...planned(2, sonnet)]);
    const { run } = await openMissionFleet(model);
    const { failedReason } = await run('mission-1');
    expect(failedReason).toMatch(/^malformed: .*2 of 5 tasks to sonnet: expected at most 1/s);
    expect(failedReason).toContain('approach');
    expect(model.calls.map(titleOf)).toEqual(['plan', 'plan']);
    expect(await redis.redis.exists(redis.keys.delegation('s'))).toBe(0);
  });

  it('holds its plan to what the session has room for, and mends it', async () => {
    const model = createMissionModel([], {
      plan: (request) => toPlanReply(request.messages.length > 1 ? planned(3) : [...planned(2), ...planned(1, sonnet)]),
    });
    const { run } = await openMissionFleet(model);
    await run('mission-1'); // uses the one Sonnet task of a session's first small plan
    const { record } = await run('mission-2');
    expect(record?.state).toBe('done');
    expect(model.calls.map(titleOf).filter(Boolean)).toEqual(['plan', 'synthesis', 'plan', 'plan', 'synthesis']);
    expect(await redis.redis.hgetall(redis.keys.delegation('s'))).toEqual({ haiku: '5', sonnet: '1' });
  });
});

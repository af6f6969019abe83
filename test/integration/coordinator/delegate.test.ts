import { describe, expect, it } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import type { ModelRow } from '../../../src/config/model-rows/types.ts';
import { DIALECTS } from '../../support/models/dialects.ts';
import { createMissionModel, promptOf, titleOf, toPlanReply } from '../../support/models/mission-model.ts';
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

  it('gives a task to the row that its plan names, and sends a plan back that names none', async () => {
    const price = { input: 50, output: 200, cacheRead: 50, cacheWrite: 50, step: null };
    const { row = null } = DIALECTS.find(({ model }) => model === 'qwen') ?? {};
    const models = [{ ...(row as ModelRow), id: 'glm-air', price }];
    const told: string[] = [];
    const model = createMissionModel([], {
      plan: (request) => {
        told.push(promptOf({ ...request, messages: request.messages.slice(-1) }));
        return toPlanReply(planned(1, { model: request.messages.length > 1 ? 'glm-air' : 'gpt-9' }));
      },
    });
    const config = { shards: [], models };
    const fleet = await useFleet(redis, { config, coordinator: model, haiku: model });
    const { id } = await fleet.missions.add({ goal: 'Find out.', approve: true }, { session: 's' });
    await waitUntil(async () => (await readMission(redis.db, id))?.state === 'planned', { what: 'its plan' });
    expect(told[0]).toContain('glm-air: cheap, prompts of ');
    expect(told[1]).toContain('model: no task of a plan may go to \\"gpt-9\\": expected haiku, sonnet, glm-air');

    const { plan, forecast } = await fleet.missions.plan(id);
    expect(forecast.tasks).toEqual({ total: 1, haiku: 0, sonnet: 0, others: { 'glm-air': 1 } });
    expect(forecast.basis.join()).toContain('1 × other on glm-air');
    const toEdit = (name: string) => ({ ...plan, tasks: plan.tasks.map((task) => ({ ...task, model: name })) });
    await expect(fleet.missions.run(id, { edit: toEdit('gpt-8') })).rejects.toThrow(
      'task 1 ("ts0"), model: no task of a plan may go to "gpt-8"',
    );
    const haiku = await fleet.missions.run(id, { edit: toEdit('haiku'), dryRun: true });
    expect(haiku.forecast.cost.likely).toBeGreaterThan(forecast.cost.likely);

    await fleet.missions.run(id);
    await waitUntil(async () => (await readMission(redis.db, id))?.state === 'done', { what: 'its end' });
    const found = await fleet.findings.list({ limit: 10 });
    expect(found.filter(({ kind }) => kind === 'other')).toMatchObject([{ model: 'glm-air', vendor: 'ollama' }]);
    expect(await redis.redis.hgetall(redis.keys.delegation('s'))).toEqual({ haiku: '1', sonnet: '0' });
  });

  it('sends a plan with too many Sonnet tasks back once, then asks the person, and runs it as it is on their word', async () => {
    const model = createMissionModel([...planned(3), ...planned(2, sonnet)]);
    const { fleet } = await openMissionFleet(model);
    const { id: missionId } = await fleet.missions.add({ goal: 'Find out.' }, { session: 's' });
    await waitUntil(async () => (await readMission(redis.db, missionId))?.state === 'planned', {
      what: 'the question to the person',
    });
    const record = await readMission(redis.db, missionId);
    expect(record?.problem).toBe(
      'the plan gives 2 of 5 tasks to sonnet: at most one in ten may go there, so at most 1 here',
    );
    expect(model.calls.map(titleOf)).toEqual(['plan', 'plan']);
    expect(await redis.redis.exists(redis.keys.delegation('s'))).toBe(0);
    expect(await fleet.missions.plan(missionId)).toMatchObject({ canRun: true, notes: [record?.problem] });

    await fleet.missions.run(missionId);
    await waitUntil(async () => (await readMission(redis.db, missionId))?.state === 'done', { what: 'its end' });
    expect(model.calls.map(titleOf).filter(Boolean)).toEqual(['plan', 'plan', 'synthesis']);
    expect(await redis.redis.hgetall(redis.keys.delegation('s'))).toEqual({ haiku: '3', sonnet: '2' });
  });

  it('holds each plan to one Sonnet task in ten, or one, and mends it', async () => {
    const model = createMissionModel([], {
      plan: (request) =>
        toPlanReply(
          request.messages.length > 1 ? [...planned(2), ...planned(1, sonnet)] : [...planned(1), ...planned(2, sonnet)],
        ),
    });
    const { run } = await openMissionFleet(model);
    await run('mission-1');
    const { record } = await run('mission-2');
    expect(record?.state).toBe('done');
    const once = ['plan', 'plan', 'synthesis'];
    expect(model.calls.map(titleOf).filter(Boolean)).toEqual([...once, ...once]);
    expect(await redis.redis.hgetall(redis.keys.delegation('s'))).toEqual({ haiku: '4', sonnet: '2' });
  });
});

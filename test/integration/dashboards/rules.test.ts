import { expect, it } from 'vitest';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

it('shows what each rule matches, did and cost, and changes it within the guards', async () => {
  const fleet = await useFleet(redis);
  const origin = { chain: [{ rule: 'first', finding: 'f0' }] };
  await storeFindings(redis, { f1: { topics: ['tea'] }, f2: { topics: ['tea'], origin } });
  await fleet.when('watch', { match: { topic: 'tea' }, task: 'Check \u202E{finding.id}', budgetUsd: 1 });
  await fleet.rules.replay('watch');
  const { ask, send } = await startDashboard(redis);
  const read = async () => ((await (await ask('/api/rules')).json()) as { rules: Record<string, unknown>[] }).rules;
  const [shown] = await read();
  expect(shown).toMatchObject({
    name: 'watch',
    state: 'active',
    match: 'topic tea',
    task: 'Check <U+202E>{finding.id}',
    fired: 1,
    limitNanoUsd: 1_000_000_000,
    parked: 1,
    chains: [{ why: 'depth', chain: [...origin.chain, { rule: 'watch', finding: 'f2' }] }],
    recent: expect.arrayContaining([expect.objectContaining({ finding: 'f1' })]),
  });
  const { chains } = shown as { chains: { taskId: string }[] };
  const taskId = chains[0]?.taskId ?? '';

  const change = async (path: string, body: unknown, headers = {}) =>
    (await send('POST', `/api/rules/${path}`, body, headers)).status;
  expect(await change('watch/pause', { force: true })).toBe(400);
  expect(await change('watch/pause', {}, { origin: 'http://elsewhere.example' })).toBe(403);
  expect(await change('nobody/pause', {})).toBe(404);
  expect(await change('watch/release', { taskIds: [] })).toBe(400);
  expect(await change('watch/pause', {})).toBe(200);
  expect(await read()).toMatchObject([{ state: 'paused' }]);
  expect(await change('watch/resume', {})).toBe(200);
  expect(await change('watch/release', { taskIds: [taskId] })).toBe(200);
  expect(await read()).toMatchObject([{ state: 'active', parked: 0 }]);
  expect((await fleet.tasks.get(taskId))?.state).toBe('waiting');
  expect(await change('watch/remove', {})).toBe(200);
  expect(await read()).toEqual([]);
});

it('needs a login where there is one', async () => {
  const { ask, send } = await startDashboard(redis, { DASHBOARD_PASSWORD: TEST_PASSWORD });
  expect((await ask('/api/rules')).status).toBe(401);
  expect((await send('POST', '/api/rules/watch/remove', {})).status).toBe(401);
});

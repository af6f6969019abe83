import { afterEach, expect, it, vi } from 'vitest';
import { buildProgram } from '../../../src/cli/program.ts';
import { forecastPlan } from '../../../src/coordinator/plan/forecast.ts';
import { planSchema } from '../../../src/coordinator/plan/plan.ts';
import { renderMissionForecast } from '../../../src/cli/output/forecast.ts';
import { expandPlan } from '../../../src/coordinator/plan/expand.ts';
import type { OpenFleet } from '../../../src/api/open-fleet.ts';
import { createMissionModel } from '../../support/models/mission-model.ts';
import { swarmEnvironment } from '../../support/redis/swarm-environment.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';

const redis = useRedis();

const nodes = expandPlan(
  planSchema.parse({
    approach: '',
    tasks: [
      { id: 'read', description: 'read {item}', kind: 'docs', for_each: ['a', 'b', 'c'] },
      { id: 'ask', description: 'Ask the archive: what is known?', kind: 'search' },
      {
        id: 'weigh',
        description: 'weigh it',
        kind: 'analysis',
        model: 'sonnet',
        reason: 'ambiguous requirements',
        depends_on: ['read', 'ask'],
      },
    ],
  }),
);

function forecast({ inner, findings }: OpenFleet, workspace: string | null = null) {
  const { db, queues, config } = inner;
  return forecastPlan({ db, queue: queues.tasks, findings, config, now: new Date() }, { nodes, workspace });
}

it('states what it assumes where nothing was done yet', async () => {
  const fleet = await useFleet(redis, { config: { shards: [] } });
  const found = await forecast(fleet);
  expect(found).toMatchObject({
    tasks: { total: 5, haiku: 4, sonnet: 1 },
    quota: null,
    time: { slots: 40, assumed: true, longestChain: 2, taskMs: 30_000, likelyMs: 60_000 },
  });
  expect(found.cost.likely).toBeLessThan(found.cost.worst);
  expect(found.cost.likely).toBeLessThan(found.cost.allSonnet);
  expect(found.basis.join('\n')).toMatch(/no history yet[^]*assumed 30 s each[^]*assumed 2 workers with 20 slots/);
});

it('counts the questions against what all shards have left today', async () => {
  const fleet = await useFleet(redis, { env: { GEMINI_RPD: '7' } });
  expect((await forecast(fleet)).quota).toEqual({ questions: 1, leftToday: 7 * fleet.inner.config.shards.length });
});

it('goes by the workers that are up for the workspace, and by what tasks took', async () => {
  const fleet = await useFleet(redis, {
    env: { FLEET_HAIKU_CONCURRENCY: '3', FLEET_WORKSPACES: `site=${redis.folder}` },
    haiku: createScriptedModel(() => 'done'),
  });
  const handles = await Promise.all(Array.from({ length: 6 }, (_, i) => fleet.tasks.add({ description: `say ${i}` })));
  await Promise.all(handles.map((handle) => handle.finding()));
  const [here, elsewhere] = await Promise.all([forecast(fleet, 'site'), forecast(fleet, 'docs')]);
  expect(here.time).toMatchObject({ slots: 3, assumed: false });
  expect(here.time.taskMs).toBeLessThan(30_000);
  expect(here.basis.join('\n')).toContain('1 live worker with 3 slots');
  expect(elsewhere.time.assumed).toBe(true);
});

it('is shown with the doubts there are', async () => {
  const fleet = await useFleet(redis, { env: { GEMINI_RPD: '1', FLEET_BUDGET_USD: '0.0001' } });
  await redis.redis.hset(redis.keys.budget, 'day', 1_000);
  const text = renderMissionForecast({ ...(await forecast(fleet)), quota: { questions: 9, leftToday: 3 } });
  expect(text).toMatch(/^Tasks: {7}5 tasks, 4 of them to Haiku, 1 to Sonnet$/m);
  expect(text).toMatch(/^Budget left: .*may not be enough/m);
  expect(text).toMatch(/^Quota: {7}9 questions to the archive, 3 left today ⚠️/m);
  expect(text).toMatch(/^Time: {8}about 60 s with 40 slots, the longest chain 2 tasks$/m);
});

afterEach(() => vi.unstubAllEnvs());

it('is printed below the plan of a dry run, which adds no task and takes no room', async () => {
  const model = createMissionModel([{ id: 'look', description: 'Look at {item}', for_each: ['a', 'b', 'c'] }]);
  const fleet = await useFleet(redis);
  await fleet.startCoordinator(model, { shards: [] });
  for (const [name, value] of Object.entries(swarmEnvironment(redis))) vi.stubEnv(name, value);
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  await buildProgram().parseAsync(['node', 'fleet', 'mission', 'Find out.', '--dry-run']);
  expect(lines.join('\n')).toMatch(
    /look × 3 \(a, b, c\)[^]*Tasks: {7}3 tasks, 3 of them to Haiku[^]*Making the plan cost \$0\.\d+; no task/,
  );
  expect(await fleet.inner.queues.tasks.getJobCounts()).toMatchObject({ waiting: 0, delayed: 0, completed: 0 });
  expect(await redis.redis.exists(redis.keys.delegation(await fleet.inner.currentSession()))).toBe(0);
});

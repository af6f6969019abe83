import { expect, test } from 'vitest';
import { createForecaster } from '../../../src/tasks/batch/forecast.ts';
import type { OpenFleet } from '../../../src/api/open-fleet.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const redis = useRedis();

function forecasterOf(fleet: OpenFleet) {
  return createForecaster({
    db: fleet.inner.db,
    findings: fleet.findings,
    catalog: createCatalog([]),
    modelOf: ({ model = 'claude-haiku-5-5' }) => model,
    coordinatorModel: 'claude-sonnet-5-5',
    now: new Date(),
  });
}

test('states what it assumes where there is no history', async () => {
  const forecaster = forecasterOf(await useFleet(redis));
  forecaster.add({ description: 'x'.repeat(400) });
  const forecast = await forecaster.forecast();

  // One turn of 3,500 + 100 prompt tokens at $0.10 and 300 answered at $0.50 a million.
  expect(forecast).toMatchObject({
    tasks: 1,
    likely: 3_600 * 100 + 300 * 500,
    allSonnet: 3_600 * 2_000 + 300 * 10_000,
  });
  expect(forecast.low).toBeLessThanOrEqual(forecast.likely);
  expect(forecast.high).toBeGreaterThan(forecast.likely);
  expect(forecast.basis).toEqual([expect.stringMatching(/no history yet; assumed 1\.\.3 turns.* 3500 \+ 100 prompt/)]);
});

test('counts tasks without a model, and no cost', async () => {
  const forecaster = forecasterOf(await useFleet(redis));
  forecaster.add({ description: 'list', workspace: 'site', built_in: 'survey' });
  expect(await forecaster.forecast()).toMatchObject({
    tasks: 1,
    high: 0,
    allSonnet: 0,
    basis: ['1 without a model: free'],
  });
});

test('counts tasks of outside workers, and neither a cost nor a saving', async () => {
  const forecaster = forecasterOf(await useFleet(redis));
  forecaster.add({ description: 'x', for: 'outside' });
  expect(await forecaster.forecast()).toMatchObject({
    tasks: 1,
    high: 0,
    allSonnet: 0,
    basis: [expect.stringMatching(/^1 by outside workers: unmetered/)],
  });
  forecaster.add({ description: 'x', for: 'any' }); // a worker of the fleet may take it
  const { tasks, likely } = await forecaster.forecast();
  expect([tasks, likely > 0]).toEqual([2, true]);
});

test('goes by what tasks of the same model and kind have cost', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'done') }); // 100 + 200 tokens, $0.000110 each
  const jobs = await Promise.all(
    Array.from({ length: 6 }, () => fleet.tasks.add({ description: 'describe', kind: 'docs' })),
  );
  await Promise.all(jobs.map((job) => job.finding()));
  const forecaster = forecasterOf(fleet);
  for (let i = 0; i < 1_000; i += 1) forecaster.add({ description: 'describe', kind: 'docs' });
  forecaster.add({ description: 'of another kind', kind: 'git' });

  const forecast = await forecaster.forecast();

  expect(forecast).toMatchObject({ tasks: 1_001, likely: 1_001 * 110_000, allSonnet: 1_001 * 2_200_000 });
  expect(forecast.basis).toEqual([
    expect.stringMatching(/^1,000 × docs on claude-haiku-5-5: the newest 6 of this kind/),
    expect.stringMatching(/^1 × git on claude-haiku-5-5: the mean of all 6 tasks/),
  ]);
  expect(forecast.budgetLeft).toBe(5_000_000_000 - 6 * 110_000);
});

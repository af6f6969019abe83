import { expect, test } from 'vitest';
import { cancelBatch } from '../../../src/tasks/batch/cancel.ts';
import { loadBatch } from '../../support/fleet/batch.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

test('ends what waits, what runs and what is parked, and nothing that has ended', async () => {
  const held = new Promise<string>(() => undefined);
  const model = createScriptedModel((request) => {
    const text = JSON.stringify(request.messages);
    return text.includes('quick') ? 'done' : held;
  });
  const { call } = model;
  const abortable: typeof model = {
    ...model,
    call: (request, options) =>
      Promise.race([
        call(request, options),
        new Promise<never>((_, reject) => {
          options.signal.addEventListener('abort', () => reject(options.signal.reason as Error), { once: true });
        }),
      ]),
  };
  const fleet = await useFleet(redis, { env: { FLEET_HAIKU_CONCURRENCY: '2' }, haiku: abortable });
  const { tasks } = fleet.inner.queues;
  const batch = await loadBatch(
    redis,
    fleet,
    [
      { description: 'quick' },
      { description: 'parked', budget_usd: 0.000_001 },
      { description: 'slow 1' },
      { description: 'slow 2' },
      { description: 'waits' },
    ],
    { batch: 'stop' },
  );
  await waitUntil(async () => (await tasks.getActiveCount()) === 2 && (await tasks.getDelayedCount()) === 1);

  expect(await cancelBatch(fleet.inner.db, tasks, 'stop')).toBe(4);

  expect(await batch.follow()).toBe('failed');
  expect((await batch.results()).map(({ state, error }) => [state, error?.split(':')[0]])).toEqual([
    ['completed', undefined],
    ['failed', 'cancelled'],
    ['failed', 'cancelled'],
    ['failed', 'cancelled'],
    ['failed', 'cancelled'],
  ]);
  expect(await redis.redis.hlen(redis.keys.parked)).toBe(0);
});

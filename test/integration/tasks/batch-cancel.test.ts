import { expect, test } from 'vitest';
import { cancelBatch } from '../../../src/tasks/batch/cancel.ts';
import { readBatch } from '../../../src/tasks/batch/progress.ts';
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

  expect(await batch.follow()).toBe('cancelled');
  expect((await batch.results()).map(({ state, error }) => [state, error?.split(':')[0]])).toEqual([
    ['completed', undefined],
    ['failed', 'cancelled'],
    ['failed', 'cancelled'],
    ['failed', 'cancelled'],
    ['failed', 'cancelled'],
  ]);
  expect(await redis.redis.hlen(redis.keys.parked)).toBe(0);

  const state = () => readBatch(fleet.inner.db, 'stop');
  const queue = async () => (await fleet.status()).queues.find(({ name }) => name === 'tasks');
  expect(await state()).toMatchObject({ completed: 1, failed: 0, cancelled: 4 });
  expect(await queue()).toMatchObject({ failed: 0, cancelled: 4 });
  expect((await fleet.status()).failed).toEqual([]);

  // What a person did not want runs again only if a person says so.
  expect(await fleet.retry({ batch: 'stop' })).toMatchObject({ retried: [], refused: [] });
  await tasks.pause();
  expect((await fleet.retry({ batch: 'stop', reason: 'cancelled', first: 1 })).retried).toHaveLength(1);
  expect(await state()).toMatchObject({ failed: 0, cancelled: 3 });
  expect(await queue()).toMatchObject({ failed: 0, cancelled: 3 });
  await redis.redis.del(redis.keys.cancelledEnds('tasks')); // a version before did not note it
  expect(await queue()).toMatchObject({ failed: 0, cancelled: 3 });
});

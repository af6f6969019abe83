import { expect, test } from 'vitest';
import { markReleased, readMission } from '../../../src/coordinator/mission/record.ts';
import { storePaperDecision } from '../../../src/coordinator/paper/decisions.ts';
import { readPaper, savePaper } from '../../../src/coordinator/paper/record.ts';
import { removeContext, saveContext } from '../../../src/contexts/memory-contexts.ts';
import { releaseParked } from '../../../src/jobs/outcomes/parked.ts';
import { retryJob } from '../../../src/tasks/repair/retry.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { startCuttingProxy, type CuttingProxy } from '../../support/redis/cutting-proxy.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const redis = useRedis();
const NOBODY = { workspaces: new Set<string>(), contexts: new Set<string>(), catalog: createCatalog([]) };

/** A client whose connection loses the answers that the test names. */
async function useCuttingFleet(): Promise<{ proxy: CuttingProxy; fleet: Awaited<ReturnType<typeof useFleet>> }> {
  const proxy = await startCuttingProxy(redis, { oneIn: 0 });
  return { proxy, fleet: await useFleet(redis, { env: { REDIS_URL: proxy.url } }) };
}

/** Of BullMQ. It is sent whole, because Redis has forgotten it. */
async function cutNextScript(proxy: CuttingProxy, ...texts: string[]): Promise<void> {
  await redis.redis.script('FLUSH');
  proxy.cutNext('\r\neval\r\n', ...texts);
}

test('retries a job once, and says so', async () => {
  const { proxy, fleet } = await useCuttingFleet();
  const haiku = await fleet.startHaiku(createScriptedModel(() => 'no number'));
  const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
  await fleet.tasks.addMany([{ description: 'How many?', schema }], { batch: 'b' });
  await fleet.until('b-1', 'failed');
  await haiku.close();

  const { db, queues } = fleet.inner;
  await cutNextScript(proxy, queues.tasks.toKey('b-1'), queues.tasks.toKey('failed'));
  await retryJob({ db, queue: queues.tasks }, 'b-1', { by: 'me', known: NOBODY });
  expect(proxy.cuts()).toBe(1);
  expect(await redis.redis.lrange(redis.keys.queueKey('tasks', 'wait'), 0, -1)).toEqual(['b-1']);
  expect(await redis.redis.scard(redis.keys.batchFailed('b'))).toBe(0);
});

test('counts a job that it releases', async () => {
  const { proxy, fleet } = await useCuttingFleet();
  const haiku = await fleet.startHaiku(createScriptedModel(() => 'done'));
  await fleet.tasks.add({ description: 'dear', budget_usd: 0.000_001 }, { taskId: 'dear' });
  await fleet.until('dear', 'delayed');
  await haiku.close();

  await cutNextScript(proxy, fleet.queue.toKey('delayed'), 'dear');
  expect(await releaseParked(fleet.inner, { scope: 'task', name: 'dear' })).toBe(1);
  expect(proxy.cuts()).toBe(1);
});

test('deletes a memory context', async () => {
  const { proxy, fleet } = await useCuttingFleet();
  await saveContext(redis.db, 'c', 'text');
  proxy.cutNext('exec');
  await removeContext(fleet.inner.db, 'c');
  expect(proxy.cuts()).toBe(1);
  await expect(removeContext(fleet.inner.db, 'c')).rejects.toThrow(/there is none/);
});

test('tries a step of a paper, and a retrieval of a mission, once more', async () => {
  const { proxy, fleet } = await useCuttingFleet();
  const { db } = fleet.inner;
  await savePaper(redis.db, 'm', { stop: { step: 'section-1', reason: 'shard', detail: 'x' } as never });
  proxy.cutNext('exec');
  await storePaperDecision(db, 'm', 'retry');
  expect((await readPaper(redis.db, 'm'))?.tries).toEqual({ 'section-1': 1, shards: 1 });

  await redis.redis.hset(redis.keys.mission('m'), { state: 'asks', createdAt: new Date().toISOString() });
  proxy.cutNext('exec');
  await markReleased(db, 'm', 'asks', new Date().toISOString());
  expect((await readMission(redis.db, 'm'))?.releases).toBe(1);
  expect(proxy.cuts()).toBe(2);
});

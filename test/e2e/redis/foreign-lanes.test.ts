import { expect, test } from 'vitest';
import { readHalt } from '../../../src/halt/halt.ts';
import { runFleet, plainEnvironment } from '../../support/process/fleet-command.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createMissionModel } from '../../support/models/mission-model.ts';
import { createScriptedArchive } from '../../support/models/scripted-archive.ts';
import { storeExternal } from '../../support/redis/store-findings.ts';
import { swarmEnvironment } from '../../support/redis/swarm-environment.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

const VALUES = {
  text: (key) => redis.redis.set(key, 'no JSON, no number'),
  hash: (key) => redis.redis.hset(key, 'a', 'b'),
  list: (key) => redis.redis.rpush(key, 'x'),
  set: (key) => redis.redis.sadd(key, 'x'),
  'sorted set': (key) => redis.redis.zadd(key, 1, 'x'),
  stream: (key) => redis.redis.xadd(key, '*', 'a', 'b'),
} satisfies Record<string, (key: string) => Promise<unknown>>;
const KINDS = Object.entries(VALUES);
const env = { GEMINI_API_KEY: 'k', GEMINI_TIER: 'free' };

const READS = ['status', 'costs', 'shards', 'findings'];
const PAGES = ['/', '/api/status', '/api/findings', '/api/findings/other', '/metrics', '/healthz', '/queues/'];

test.each(KINDS)(
  '%s under every public key: a question, a mission and all pages are as without it',
  async (kind, store) => {
    const { keys } = redis;
    const wrong = [
      keys.contextActive,
      ...(['haiku', 'sonnet', 'gemini'] as const).map((vendor) => keys.cost(vendor)),
      keys.shardQuota(1),
      keys.shardStatus(1),
      keys.finding('other'),
      keys.finding('archive_other'),
      keys.workerStatus('other'),
      keys.workerTasks('other'),
      keys.query('other'),
      keys.query('odd'),
      keys.response('other'),
      keys.response('q'),
    ];
    await storeExternal(redis, { good: { result: 'tea is sold' } });
    for (const key of wrong) await store(key);
    const model = createMissionModel([{ id: 'look', description: 'Look at {item}', for_each: ['a', 'b'] }]);
    const archive = createScriptedArchive(() => ({ answer: 'Tea [good].', citations: ['good'] }));
    const fleet = await useFleet(redis, { env, haiku: model, coordinator: model, librarian: archive });

    const question = await fleet.ask('What is sold?', { queryId: 'q' });
    expect(await question.finding({ timeoutMs: 20_000 })).toMatchObject({ result: 'Tea [good].' });
    const mission = await fleet.missions.add({ goal: 'Find out.' });
    expect(await mission.finding({ timeoutMs: 30_000 })).toMatchObject({ result: { counts: { done: 2, failed: 0 } } });
    for (const queue of Object.values(fleet.inner.queues)) {
      const failed = await queue.getFailed();
      expect(failed.map(({ id, failedReason }) => ({ id, failedReason }))).toEqual(
        queue.name === 'archive' && kind !== 'text' ? [expect.objectContaining({ id: 'archive_odd' })] : [],
      );
    }
    const dashboard = await startDashboard(redis, env);
    const readPages = async () => {
      for (const page of PAGES) {
        const { status } = await dashboard.ask(page);
        expect({ page, status }).toEqual({ page, status: page.endsWith('other') && kind !== 'hash' ? 404 : 200 });
      }
    };
    await readPages();
    if (kind === 'text' || kind === 'list') {
      const plain = plainEnvironment(swarmEnvironment(redis, env));
      const ends = await Promise.all(READS.map(async (name) => ({ name, ...(await runFleet([name], plain)) })));
      for (const { name, code, stderr } of ends) expect({ name, code, stderr }).toEqual({ name, code: 0, stderr: '' });
      const status = ends.find(({ name }) => name === 'status')?.stdout;
      expect(status).toContain(keys.contextActive);
      expect(status).toContain(keys.cost('haiku'));
    }
    await store(keys.haltReason);
    await readPages();
    const waiting = await fleet.ask('What else?');
    await fleet.halt.resume();
    expect(await readHalt(redis.db)).toBeNull();
    await waiting.finding({ timeoutMs: 20_000 });
    for (const key of wrong) expect(await redis.redis.exists(key)).toBe(1);
  },
);

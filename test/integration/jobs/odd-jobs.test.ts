import { expect, test } from 'vitest';
import { createScriptedArchive } from '../../support/models/scripted-archive.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

/** What another program may leave of a job that waits, and how the job ends. */
const ODD: [string, (key: string) => Promise<unknown>, 'failed' | 'completed'][] = [
  ['data and opts that are no JSON', (key) => redis.redis.hset(key, { data: '{', opts: '[' }), 'failed'],
  ['data null', (key) => redis.redis.hset(key, { data: 'null' }), 'failed'],
  ['no data', (key) => redis.redis.hdel(key, 'data'), 'failed'],
  ['opts null', (key) => redis.redis.hset(key, { opts: 'null' }), 'failed'],
  ['opts a list', (key) => redis.redis.hset(key, { opts: '[1]' }), 'completed'],
  ['no opts', (key) => redis.redis.hdel(key, 'opts'), 'completed'],
  ['a progress that is no JSON', (key) => redis.redis.hset(key, { progress: '{' }), 'failed'],
  [
    'a return value and a stack that are no JSON',
    (key) => redis.redis.hset(key, { returnvalue: '{', stacktrace: 'no' }),
    'completed',
  ],
  ['no hash', (key) => redis.redis.del(key), 'failed'],
  ['attempts that are no number', (key) => redis.redis.hset(key, { atm: 'x' }), 'completed'],
  ['starts that are no number', (key) => redis.redis.hset(key, { ats: 'x' }), 'failed'],
  [
    'stalls, priority and delay that are no number',
    (key) => redis.redis.hset(key, { stc: 'x', priority: 'x', delay: 'x' }),
    'completed',
  ],
  ['a parent that is nowhere', (key) => redis.redis.hset(key, { parentKey: 'nowhere' }), 'completed'],
  ['a list in place of its hash', toList, 'failed'],
];

async function toList(key: string): Promise<void> {
  await redis.redis.multi().del(key).rpush(key, 'x').exec();
}

test.each(ODD)('a waiting job with %s ends once, and stops no other', async (_, change, end) => {
  const fleet = await useFleet(redis);
  const bad = await fleet.tasks.add({ description: 'Say tea' });
  await change(redis.keys.queueKey('tasks', bad.id));
  const others = await Promise.all([1, 2, 3].map((i) => fleet.tasks.add({ description: `Say ${i}` })));
  await fleet.startHaiku(createScriptedModel(() => 'tea'));
  for (const other of others) expect(await other.finding({ timeoutMs: 15_000 })).toMatchObject({ result: 'tea' });
  const job = await fleet.until(bad.id, end);
  if (end === 'failed') expect(job.failedReason).toMatch(/^invalid-job: /);
  expect(await fleet.queue.getJobCounts('wait', 'active', 'delayed')).toEqual({ wait: 0, active: 0, delayed: 0 });
});

test('a list in place of a delayed job takes no other delayed job with it', async () => {
  const fleet = await useFleet(redis);
  await fleet.startHaiku(createScriptedModel(() => 'tea'));
  const ids = ['first', 'bad', 'last'];
  for (const id of ids) await fleet.queue.add('task', { description: `Say ${id}` }, { jobId: id, delay: 6_000 });
  await toList(redis.keys.queueKey('tasks', 'bad'));
  for (const id of ['first', 'last']) await fleet.until(id, 'completed');
  expect((await fleet.until('bad', 'failed')).failedReason).toMatch(/^invalid-job: /);
});

test.each(['archive', 'missions'] as const)('a damaged job of queue %s ends once, too', async (name) => {
  const archive = createScriptedArchive(() => ({ answer: 'None.' }));
  const fleet = await useFleet(redis, {
    env: { GEMINI_API_KEY: 'k', GEMINI_TIER: 'free' },
    librarian: archive,
    coordinator: createScriptedModel(() => 'tea'),
  });
  const queue = fleet.inner.queues[name];
  const damages = { atm: { atm: 'x' }, ats: { ats: 'x' }, data: { data: '{' }, parent: { parentKey: 'nowhere' } };
  await queue.pause();
  for (const [id, fields] of Object.entries(damages)) {
    await queue.add('other', {}, { jobId: id });
    await redis.redis.hset(redis.keys.queueKey(name, id), fields);
  }
  await queue.resume();
  await expect.poll(() => queue.getFailedCount(), { timeout: 15_000 }).toBe(4);
  for (const job of await queue.getFailed()) expect(job.failedReason).toMatch(/^invalid-job: /);
});

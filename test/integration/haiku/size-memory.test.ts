import { expect, it, vi } from 'vitest';
import { createSizeMemory, type ReplyGroup } from '../../../src/haiku/loop/size-memory.ts';
import type { Db } from '../../../src/redis/db.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const FULL = 32_000;

/** Notes this many short replies, the last one long after the others: then they are sent. */
function noteAll(group: ReplyGroup, replies: number): void {
  for (let i = 1; i < replies; i += 1) group.note(100);
  const later = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
  group.note(100);
  later.mockRestore();
}

/** A connection that counts how often replies are sent or read. */
function countSends(): { db: Db; sent: () => number } {
  let sent = 0;
  const send = redis.db.scripts['note-replies'];
  const scripts = {
    ...redis.db.scripts,
    'note-replies': (...args: Parameters<typeof send>) => {
      sent += 1;
      return send(...args);
    },
  };
  return { db: { ...redis.db, scripts }, sent: () => sent };
}

const countKept = async (): Promise<number> =>
  Number.parseInt((await redis.redis.hget(redis.keys.replySizes, 'm')) ?? '0', 10);

it('lets a worker that starts know what another one saw', async () => {
  const group = await createSizeMemory(redis.db)('m');
  expect(group.toFirstRoom(FULL)).toBe(FULL);
  noteAll(group, 300);
  expect(group.toFirstRoom(FULL)).toBe(4_096);
  await waitUntil(async () => (await countKept()) === 300, { what: 'the replies in Redis' });
  expect((await createSizeMemory(redis.db)('m')).toFirstRoom(FULL)).toBe(4_096);
  expect((await createSizeMemory(redis.db)('other')).toFirstRoom(FULL)).toBe(FULL);
});

it('learns from workers that never live for a second, then asks Redis seldom', async () => {
  const { sent, db } = countSends();
  for (let worker = 1; worker <= 40; worker += 1) {
    const group = await createSizeMemory(db)('m'); // nothing ends it: its process was killed
    for (let i = 0; i < 5; i += 1) group.note(100);
    await waitUntil(async () => (await countKept()) === 5 * worker, { what: `the replies of worker ${worker}` });
  }
  const last = await createSizeMemory(db)('m');
  expect(last.toFirstRoom(FULL)).toBe(4_096);
  const before = sent();
  for (let i = 0; i < 100; i += 1) last.note(100);
  expect(sent()).toBe(before);
});

it('keeps the replies of a time in which Redis was away', async () => {
  let isAway = false;
  const send = redis.db.scripts['note-replies'];
  const scripts = {
    ...redis.db.scripts,
    'note-replies': (...args: Parameters<typeof send>) => (isAway ? Promise.reject(new Error('away')) : send(...args)),
  };
  const db: Db = { ...redis.db, scripts };
  const group = await createSizeMemory(db)('m');
  isAway = true;
  noteAll(group, 300);
  expect(group.toFirstRoom(FULL)).toBe(4_096);
  isAway = false;
  await new Promise((resolve) => setImmediate(resolve));
  const later = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 120_000);
  group.note(100);
  later.mockRestore();
  await waitUntil(async () => (await countKept()) === 301, { what: 'all replies in Redis' });
});

it('halves what is old, so that new kinds of tasks show', async () => {
  const { db, keys } = redis;
  await redis.redis.hset(keys.replySizes, 'm', '4000,4000,30,3,2,1,1|x');
  const kept = await db.scripts['note-replies']({ sizes: keys.replySizes }, ['m', 'nonce', 2, 2, 2, 2, 0, 0, 0]);
  expect(kept).toEqual([2_001, 2_001, 16, 3, 1, 1, 1]);
});

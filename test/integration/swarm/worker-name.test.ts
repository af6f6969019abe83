import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { takeWorkerName } from '../../../src/swarm/worker-name.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

const host = hostname().replace(/[^A-Za-z0-9.-]/g, '-');
const key = (digits: string) => redis.keys.workerName(host, digits);
const numberOf = (id: string) => id.slice(id.lastIndexOf('_') + 1);

/** What a process of this system leaves that has died. */
async function leaveDead(digits: string) {
  const name = await takeWorkerName(redis.db, undefined);
  const mine = (await redis.redis.get(key(numberOf(name.id)))) ?? '';
  await name.release();
  await redis.redis.set(key(digits), mine.replace(/^\d+ /, '4194305 '), 'EX', 90);
}

it('the name of a process that died here is free at once, for one of several that start', async () => {
  await leaveDead('001');
  const names = await Promise.all(Array.from({ length: 4 }, () => takeWorkerName(redis.db, undefined)));
  expect(names.map(({ id }) => numberOf(id)).toSorted()).toEqual(['001', '002', '003', '004']);
});

it.each([
  ['of another machine or container with the same host name', '4194305 77 another-boot/pid:[1]'],
  ['that an older version wrote', '4194305'],
])('the name of a process %s stays its own', async (_what, holder) => {
  await redis.redis.set(key('001'), holder, 'EX', 90);
  const name = await takeWorkerName(redis.db, undefined);
  expect(numberOf(name.id)).toBe('002');
  await name.release();
  expect(await redis.redis.get(key('001'))).toBe(holder);
});

it('a process whose name went to another one neither keeps nor frees it', async () => {
  const name = await takeWorkerName(redis.db, undefined);
  await redis.redis.set(key('001'), 'of another', 'EX', 90);
  await name.hold();
  await name.release();
  expect(await redis.redis.get(key('001'))).toBe('of another');
});

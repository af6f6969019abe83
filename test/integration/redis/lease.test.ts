import { describe, expect, it } from 'vitest';
import { holdLease, Lease } from '../../../src/redis/lease.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const key = () => redis.keys.lease('test');

describe('a lease', () => {
  it('has one owner at a time, and a next one once it is released', async () => {
    const [first, second] = [new Lease(redis.db, key()), new Lease(redis.db, key())];
    expect(await first.take()).toBe(true);
    expect(await second.take()).toBe(false);
    expect([await first.isMine(), await second.isMine()]).toEqual([true, false]);

    await first.release();

    expect(await redis.redis.exists(key())).toBe(0);
    expect(await second.take()).toBe(true);
  });

  it('is renewed by its owner, and runs out without', async () => {
    const lease = new Lease(redis.db, key(), { ttlMs: 60_000 });
    await lease.take();
    await redis.redis.pexpire(key(), 1_000);
    expect(await lease.take()).toBe(true);
    expect(await redis.redis.pttl(key())).toBeGreaterThan(30_000);

    await redis.redis.pexpire(key(), 1);
    await waitUntil(async () => !(await lease.isMine()));
    expect(await lease.renew()).toBe(false);
    expect(await new Lease(redis.db, key()).take()).toBe(true);
  });

  it('of another owner is neither renewed nor released', async () => {
    const [old, next] = [new Lease(redis.db, key()), new Lease(redis.db, key(), { ttlMs: 60_000 })];
    await old.take();
    await redis.redis.del(key());
    await next.take();

    expect(await old.renew()).toBe(false);
    await old.release();

    expect(await next.isMine()).toBe(true);
  });

  it('is given up by a patient owner to one that is not, and never the other way', async () => {
    const patient = () => new Lease(redis.db, key(), { isPatient: true });
    const [first, second, urgent] = [patient(), patient(), new Lease(redis.db, key())];
    expect(await first.take()).toBe(true);
    expect(await second.take()).toBe(false);
    expect(await urgent.take()).toBe(true);
    expect(await first.take()).toBe(false);
    expect(await new Lease(redis.db, key()).take()).toBe(false);
  });

  it('that is held ends with its key, and is refused to others until then', async () => {
    const held = await holdLease(redis.db, key());
    redis.cleanup(() => held?.release());
    expect(await held?.isMine()).toBe(true);
    expect(await holdLease(redis.db, key())).toBeNull();

    await redis.redis.del(key());
    expect(await held?.isMine()).toBe(false);
  });
});

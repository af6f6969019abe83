import { describe, expect, test } from 'vitest';
import { SwarmRefusedError } from '../../../src/errors.ts';
import { openOtherSwarms } from '../../../src/other-swarms/open-other-swarms.ts';
import type { OtherSwarms } from '../../../src/other-swarms/types.ts';
import { startTcpLink } from '../../support/redis/tcp-link.ts';
import { addSwarm } from '../../support/redis/second-swarm.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { testConfig } from '../../support/fleet/test-config.ts';
import { waitUntil } from '../../support/wait.ts';

const elsewhere = useRedis();
const redis = useRedis(); // last: its cleanups run first

function openFrom(env: Record<string, string>): OtherSwarms {
  const others = openOtherSwarms({ config: testConfig(redis, env), db: redis.db });
  redis.cleanup(() => others.close());
  return others;
}

const refusalOf = async (opening: Promise<unknown>): Promise<SwarmRefusedError> => {
  const error: unknown = await opening.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof SwarmRefusedError) return error;
  throw new Error(`expected a refusal, got ${String(error)}`);
};

describe('another swarm is read only where both sides say so', () => {
  test('not named here: refused with the rule', async () => {
    const ops = await addSwarm(redis);
    await ops.share(redis.swarm);
    const { reason, message } = await refusalOf(openFrom({}).open(ops.swarm));
    expect(reason).toBe('not-read-here');
    expect(message).toMatch(/FLEET_READ_SWARMS names no other swarm; add o\w+/);
  });

  test('not shared there, or shared with another one: refused with the rule', async () => {
    const ops = await addSwarm(redis);
    await ops.share('another');
    const { reason, message } = await refusalOf(openFrom({ FLEET_READ_SWARMS: ops.swarm }).open(ops.swarm));
    expect(reason).toBe('not-shared-there');
    expect(message).toContain(`set FLEET_SHARE_WITH=${redis.swarm} there`);
  });

  test('no such swarm: refused, and nothing is made there', async () => {
    const { reason } = await refusalOf(openFrom({ FLEET_READ_SWARMS: 'nobody' }).open('nobody'));
    expect(reason).toBe('empty');
    expect(await redis.redis.keys('{nobody}*')).toEqual([]);
  });

  test('shared: its findings are read, and each write is refused unsent', async () => {
    const ops = await addSwarm(redis);
    await ops.share('another', redis.swarm);
    await storeFindings(ops, { finding_1: { result: 'of ops' } });
    const { db, isSimulated, name } = await openFrom({ FLEET_READ_SWARMS: ops.swarm }).open(ops.swarm);
    expect({ name, isSimulated }).toEqual({ name: ops.swarm, isSimulated: true });
    expect(await db.redis.get(db.keys.finding('finding_1'))).toContain('of ops');
    const before = await ops.redis.dbsize();
    await expect(db.redis.set(db.keys.session, 'x')).rejects.toThrow('this connection only reads');
    await expect(db.redis.del(db.keys.finding('finding_1'))).rejects.toThrow('only reads');
    await expect(db.redis.call('FLUSHALL')).rejects.toThrow('only reads');
    await expect(db.redis.duplicate().del(db.keys.finding('finding_1'))).rejects.toThrow('only reads');
    await expect(db.redis.call('EVALSHA', '0'.repeat(40), 0)).rejects.toThrow('only reads');
    expect(() => db.redis.multi().get('x').set('x', '1')).toThrow('only reads');
    expect(() =>
      db.redis.pipeline([
        ['get', 'x'],
        ['set', 'x', '1'],
      ]),
    ).toThrow('only reads');
    expect(await db.redis.multi().zcard(db.keys.index).exec()).toEqual([[null, 1]]);
    expect(await ops.redis.dbsize()).toBe(before);
  });

  test('a permission that ends is seen within ten seconds, one that comes too', async () => {
    const ops = await addSwarm(redis);
    await ops.share(redis.swarm);
    const others = openFrom({ FLEET_READ_SWARMS: ops.swarm });
    await others.open(ops.swarm);
    await ops.share();
    await waitUntil(
      () =>
        others.open(ops.swarm).then(
          () => false,
          () => true,
        ),
      { timeoutMs: 10_000, what: 'a refusal' },
    );
    await ops.share(redis.swarm);
    await waitUntil(
      () =>
        others.open(ops.swarm).then(
          () => true,
          () => false,
        ),
      { timeoutMs: 10_000, what: 'a reader' },
    );
  });
});

describe('a swarm on another server', () => {
  test('is read at its own address, and refused while its server hangs, without a long wait', async () => {
    const ops = await addSwarm(elsewhere, { name: 'ops' });
    await ops.share(redis.swarm);
    const link = await startTcpLink(elsewhere.port);
    redis.cleanup(() => link.close());
    const others = openFrom({ FLEET_READ_SWARMS: 'ops', FLEET_PEER_OPS: link.url });
    expect(await others.read('ops', ({ db }) => db.redis.exists(db.keys.swarmMark))).toBe(1);

    link.freeze();
    const { reason, message } = await refusalOf(
      others.read('ops', ({ db }) => db.redis.exists(db.keys.swarmMark), { withinMs: 300 }),
    );
    expect(reason).toBe('unreachable');
    expect(message).toMatch(/^swarm ops cannot be read: .*does not answer/);

    link.thaw();
    link.pointTo(elsewhere.port, { break: true });
    await waitUntil(
      () =>
        others.open('ops').then(
          () => true,
          () => false,
        ),
      { timeoutMs: 15_000, what: 'ops again' },
    );
  });

  test('that is not there is named by its variable; its password is shown nowhere', async () => {
    const url = 'redis://reader:a-long-password-1@127.0.0.1:1';
    const { message } = await refusalOf(openFrom({ FLEET_READ_SWARMS: 'ops', FLEET_PEER_OPS: url }).open('ops'));
    expect(message).toBe('swarm ops cannot be read: Redis is not reachable at 127.0.0.1:1');
  });
});

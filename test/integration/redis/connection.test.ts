import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { toMessage } from '../../../src/errors.ts';
import { connectRedis, type ConnectOptions } from '../../../src/redis/connect.ts';
import { createDb } from '../../../src/redis/db.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../../../src/redis/server/embedded.ts';
import { makeFolder } from '../../support/folder.ts';
import { startTcpLink, type TcpLink } from '../../support/redis/tcp-link.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const test = useRedis();

async function open(url: string, options: Partial<ConnectOptions> = {}): Promise<Redis> {
  const redis = await connectRedis(url, { role: 'worker', ...options });
  test.cleanup(() => redis.disconnect());
  return redis;
}

async function openLink(port = test.port): Promise<TcpLink> {
  const link = await startTcpLink(port);
  test.cleanup(() => link.close());
  return link;
}

async function startServer(): Promise<EmbeddedRedis & { admin: Redis }> {
  const server = await startEmbeddedRedis({ folder: makeFolder({}), appendOnly: false, endWithParent: true });
  const admin = new Redis(server.url); // also of a replica
  await admin.config('SET', 'repl-diskless-sync-delay', '0');
  test.cleanup(async () => {
    admin.disconnect();
    await server.stop();
  });
  return { ...server, admin };
}

const failure = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', toMessage);

afterEach(async () => {
  await test.redis.config('SET', 'requirepass', '');
});

describe('a network that drops all packets', () => {
  it('is noticed by a connection that only listens, and by one that waits for an answer', async () => {
    const link = await openLink();
    const url = `${link.url}?silenceMs=1000`;
    const listener = await open(url);
    const heard: string[] = [];
    listener.on('message', (_channel, text: string) => heard.push(text));
    await listener.subscribe(test.keys.control);
    const busy = await open(url);
    const epochs = [listener, busy].map((one) => Reflect.get(one, 'connectionEpoch') as number);
    link.freeze();
    const reading = busy.incr(`${test.keys.control}:n`);
    await waitUntil(() => [listener, busy].every((one) => one.status !== 'ready'), { what: 'both to notice' });
    link.thaw();
    expect(await reading).toBe(1);
    await waitUntil(() => listener.status === 'ready');
    await waitUntil(async () => (await test.redis.publish(test.keys.control, 'again')) > 0 && heard.length > 0);
    expect([listener, busy].map((one) => Reflect.get(one, 'connectionEpoch') as number)).not.toEqual(epochs);
  });

  it('is not confused with a command that blocks, nor with a connection that has nothing to do', async () => {
    const url = `${test.url}?silenceMs=1000`;
    const [blocked, idle] = [await open(url), await open(url)];
    expect(await blocked.bzpopmin(`${test.keys.control}:z`, 3)).toBeNull();
    expect(await blocked.xread('BLOCK', 2_500, 'STREAMS', `${test.keys.control}:s`, '$')).toBeNull();
    expect([blocked, idle].map((one) => Reflect.get(one, 'connectionEpoch') as number)).toEqual([1, 1]);
  });
});

describe('a master that becomes a replica', () => {
  it('leads to the new master behind the same address within a second, and each waiting command is done once', async () => {
    const [first, second] = [await startServer(), await startServer()];
    await second.admin.replicaof('127.0.0.1', first.port);
    await waitUntil(async () => /master_link_status:up/.test(await second.admin.info('replication')));
    const link = await openLink(first.port);
    const redis = await open(link.url);
    const blocked = redis.duplicate();
    blocked.on('error', () => undefined); // as BullMQ has one, too
    test.cleanup(() => blocked.disconnect());
    await redis.incr('n');
    await waitUntil(async () => (await second.admin.get('n')) === '1');
    const popping = blocked.bzpopmin('z', 8);
    await second.admin.replicaof('NO', 'ONE');
    await first.admin.replicaof('127.0.0.1', second.port);
    const waiting = Promise.all([redis.incr('n'), redis.incr('n'), redis.pipeline().incr('n').incr('n').exec()]);
    link.pointTo(second.port);
    expect(await waiting).toEqual([
      2,
      3,
      [
        [null, 4],
        [null, 5],
      ],
    ]);
    await redis.zadd('z', 1, 'job');
    expect(await popping).toEqual(['z', 'job', '1']);
  });

  it('makes a worker wait at its start, and a command say so', async () => {
    const [first, second] = [await startServer(), await startServer()];
    await second.admin.replicaof('127.0.0.1', first.port);
    await waitUntil(async () => /master_link_status:up/.test(await second.admin.info('replication')));
    expect(await failure(connectRedis(second.url, { role: 'producer' }))).toMatch(
      /is a replica, which takes no writes/,
    );
    const reasons: unknown[] = [];
    const log = { warn: ({ reason }: { reason: unknown }) => reasons.push(reason), info: () => undefined };
    const opening = open(second.url, { log });
    await waitUntil(() => reasons.length > 0);
    await second.admin.replicaof('NO', 'ONE');
    expect(await (await opening).set('a', 1)).toBe('OK');
    expect(reasons).toEqual([expect.stringMatching(/is a replica/)]);
  });
});

it('a master that has lost its replicas acknowledges what a failover discards, unless min-replicas-to-write is set', async () => {
  const [first, second] = [await startServer(), await startServer()];
  const link = await openLink(first.port);
  const redis = await open(link.url);
  const { scripts, keys } = createDb(redis, test.swarm);
  const lease = { lease: keys.lease('x') };

  async function split(minReplicas: string): Promise<string[]> {
    link.pointTo(first.port, { break: true });
    await first.admin.replicaof('NO', 'ONE');
    await second.admin.replicaof('127.0.0.1', first.port);
    await waitUntil(async () => /connected_slaves:1/.test(await first.admin.info('replication')));
    await redis.set(lease.lease, 'me');
    await waitUntil(async () => (await second.admin.get(lease.lease)) === 'me');
    await first.admin.config('SET', 'min-replicas-to-write', minReplicas);
    await second.admin.replicaof('NO', 'ONE'); // the other side of a network that is split
    await waitUntil(async () => /connected_slaves:0/.test(await first.admin.info('replication')));
    const releasing = scripts['release-lease'](lease, ['me']).then(() => 'acknowledged');
    const before = await Promise.race([releasing, sleep(700).then(() => 'waits')]);
    link.pointTo(second.port, { break: true });
    await releasing;
    return [before, (await second.admin.exists(lease.lease)) === 1 ? 'lost' : 'kept'];
  }

  expect(await split('0')).toEqual(['acknowledged', 'lost']);
  expect(await split('1')).toEqual(['waits', 'kept']);
});

describe('a login', () => {
  it('that is wrong ends a worker at its start', async () => {
    const url = test.url.replace('//', '//:wrong-password@');
    await test.redis.config('SET', 'requirepass', 'right-password');
    expect(await failure(connectRedis(url, { role: 'worker' }))).toMatch(/refuses the login of REDIS_URL/);
  });

  it('that becomes wrong is logged, and loses no command', async () => {
    const warnings: unknown[] = [];
    const log = { warn: ({ reason }: { reason: unknown }) => warnings.push(reason), info: () => undefined };
    const redis = await open(test.url, { log });
    const { scripts, keys } = createDb(redis, test.swarm);
    await test.redis.config('SET', 'requirepass', 'new-password');
    await test.redis.client('KILL', 'ID', await redis.client('ID'));
    const waiting = Promise.all([redis.set('a', 1), scripts['release-lease']({ lease: keys.lease('x') }, ['me'])]);
    await waitUntil(() => warnings.length > 0);
    expect(warnings).toEqual([expect.stringMatching(/refuses the login/)]);
    await sleep(300);
    await test.redis.config('SET', 'requirepass', '');
    expect((await waiting)[0]).toBe('OK');
  });
});

it('a pipeline that was answered in part is done to its end on the next connection', async () => {
  const redis = await open(test.url);
  const [me, key] = [await redis.client('ID'), `${test.keys.control}:p`];
  const replies = redis.pipeline().set(key, 1).bzpopmin(`${key}:z`, 8).incr(key).exec();
  await waitUntil(async () => /blocked_clients:1/.test(await test.redis.info('clients')));
  await test.redis.client('KILL', 'ID', me);
  await waitUntil(async () => /blocked_clients:1/.test(await test.redis.info('clients')));
  await test.redis.zadd(`${key}:z`, 1, 'job');
  expect(await replies).toEqual([
    [null, 'OK'],
    [null, [`${key}:z`, 'job', '1']],
    [null, 2],
  ]);
});

import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { Worker } from 'bullmq';
import { expect, test } from 'vitest';
import { connectRedis } from '../../../src/redis/connect.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

/** Passes the first connection on, breaks the next `count` when they send their first bytes, and passes on those after them. */
async function startBreakingProxy(count: number): Promise<string> {
  let seen = 0;
  const server = createServer((client) => {
    seen += 1;
    client.on('error', () => undefined);
    if (seen > 1 && seen <= 1 + count) return void client.once('data', () => client.destroy());
    const upstream = connect(redis.port, '127.0.0.1').on('error', () => client.destroy());
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    redis.cleanup(() => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  redis.cleanup(() => server.close());
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a worker starts although the connections of BullMQ break before they are ready', async () => {
  const url = await startBreakingProxy(3);
  const connection = await connectRedis(url, { role: 'worker', name: 'test-own' });
  redis.cleanup(() => connection.disconnect());
  const worker = new Worker('early', async () => 'done', { connection, prefix: `{${redis.swarm}}`, autorun: false });
  redis.cleanup(() => worker.close(true));
  worker.on('error', () => undefined);
  await worker.waitUntilReady(); // rejects with “Connection is closed” where a break is taken for the end
});

test('the attempts of a long outage wait together', async () => {
  const url = await startBreakingProxy(30);
  const connection = await connectRedis(url, { role: 'worker', name: 'test-own' });
  redis.cleanup(() => connection.disconnect());
  const second = connection.duplicate({ lazyConnect: true, retryStrategy: () => 1 });
  redis.cleanup(() => second.disconnect());
  second.on('error', () => undefined);
  let most = 0;
  second.on('reconnecting', () => (most = Math.max(most, second.listenerCount('ready'))));
  await second.connect();
  expect(most).toBeLessThan(5);
});

test('a connection that was ended gives up', async () => {
  const url = await startBreakingProxy(1);
  const connection = await connectRedis(url, { role: 'worker', name: 'test-own' });
  const second = connection.duplicate({ lazyConnect: true });
  second.on('error', () => undefined);
  const connecting = second.connect();
  second.disconnect();
  await expect(connecting).rejects.toThrow(/closed/);
  connection.disconnect();
});

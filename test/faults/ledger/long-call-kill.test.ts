import { expect, test } from 'vitest';
import { readUncertain } from '../../../src/ledger/uncertain/list.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const TEXT = 'The shop sold more tea than coffee. '.repeat(2_000);

test('a worker killed in a long stream leaves its prompt uncertain at its price, not at its worst case', async () => {
  const { simulator, inner } = await useSimulatedFleet(redis, { workers: 0 });
  const description = `Say what this text says [[turns:1]] [[latency:8000]] ${TEXT}`;
  await inner.queues.tasks.add('task', { description, session: 's' }, { jobId: 't-1' });
  const worker = await startWorkerProcess(redis, { id: 'haiku_killed', provider: simulator.url });
  const readReserved = async (): Promise<number> => (await readBooks(redis)).reserved;
  await waitUntil(async () => (await readReserved()) > 0, { what: 'the reservation' });
  const reserved = await readReserved();
  await waitUntil(async () => (await readReserved()) < reserved, { what: 'the lowered reservation' });
  const held = await readReserved();
  await worker.end('SIGKILL');
  await startWorkerProcess(redis, { id: 'haiku_next', provider: simulator.url });
  await waitUntil(async () => (await readUncertain(inner.db)).length === 1, {
    what: 'the uncertain call',
    timeoutMs: 30_000,
  });
  expect(await readUncertain(inner.db)).toMatchObject([{ nanoUsd: held, reported: null }]);
  expect(simulator.requests()[0]?.billNanoUsd).toBeLessThanOrEqual(held);
}, 60_000);

/** Process entry of the throughput benchmark: a BullMQ worker whose jobs do nothing. */
import { Worker } from 'bullmq';
import { connectRedis } from '../src/redis/connect.ts';

const redis = await connectRedis(process.env['BENCH_REDIS_URL'] ?? '', { role: 'worker' });
const worker = new Worker('bare', async () => null, {
  connection: redis,
  concurrency: Number(process.env['BENCH_CONCURRENCY'] ?? 100),
});
worker.on('error', () => undefined);
process.once('SIGTERM', () => {
  void worker.close().then(() => process.exit(0));
});
await worker.waitUntilReady();
process.send?.('ready');

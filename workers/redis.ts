/** pm2 app `redis`: the fleet's own redis-server, where `fleet up --embedded` chose it. Process entry; nothing imports it. */
import { ConfigError } from '../src/errors.ts';
import { LEAVE_MS, toDrainMs } from '../src/process/drain.ts';
import { onShutdown } from '../src/process/shutdown.ts';
import { startProcess } from '../src/process/start.ts';
import { waitForWorkers } from '../src/pm2/wait-for-workers.ts';
import { createKeys } from '../src/redis/keys.ts';
import { startEmbeddedRedis } from '../src/redis/server/embedded.ts';

await startProcess('redis', async (config, log) => {
  if (config.embedded === null) throw new ConfigError('REDIS_URL is set, or `fleet up --embedded` was never called');
  const redis = await startEmbeddedRedis({ ...config.embedded, endWithParent: true });
  let closing = false;
  const drainMs = toDrainMs(config) + LEAVE_MS;
  const calling = { mostMs: drainMs, reservations: createKeys(config.FLEET_SWARM ?? null).reservations };
  onShutdown({ log, graceMs: drainMs + 4_000 }, async () => {
    await waitForWorkers(redis.url, 8_000, calling).catch((error: unknown) =>
      log.warn({ error }, 'not looked for workers'),
    );
    closing = true;
    await redis.stop();
  });
  void redis.ended.then(() => {
    if (closing) return;
    log.error('redis-server ended by itself; pm2 starts it again');
    process.exit(1);
  });
  log.info({ url: redis.url, folder: config.embedded.folder }, 'ready');
});

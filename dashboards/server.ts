/** pm2 app `dashboard`: serves status pages, Bull Board and metrics until SIGTERM. Process entry; nothing imports it. */
import { createServer, type RequestListener } from 'node:http';
import { configSecrets } from '../src/config/redact.ts';
import { connectQueues } from '../src/jobs/connect-queue.ts';
import { createMcpHttp } from '../src/mcp/http.ts';
import { openOtherSwarms } from '../src/other-swarms/open-other-swarms.ts';
import { onShutdown } from '../src/process/shutdown.ts';
import { startProcess } from '../src/process/start.ts';
import { createDb } from '../src/redis/db.ts';
import { startSampling } from '../src/swarm/tallies/sample-tallies.ts';
import { buildApp, buildWaitingApp } from './app.ts';
import { listen } from './listen.ts';
import { connectWithRetry } from './connect-with-retry.ts';
import { createTurns } from './patches/turns.ts';

await startProcess('dashboard', async (config, log) => {
  let problem: string | null = null;
  let answer: RequestListener = buildWaitingApp(config, () => problem);
  const server = createServer((request, response) => answer(request, response));
  const address = await listen(server, config);
  log.info({ address }, 'dashboard listens');

  const changes = createTurns();
  const mcp = createMcpHttp({ config, log });
  const stop = new AbortController();
  const connected = connectWithRetry(config.REDIS_URL, {
    log,
    signal: stop.signal,
    secrets: configSecrets(config),
    onProblem: (sentence) => (problem = sentence),
  }).then((redis) => {
    if (redis === null) return null;
    const db = createDb(redis, config.FLEET_SWARM ?? null);
    const queues = connectQueues(db);
    const others = openOtherSwarms({ config, db, log });
    answer = buildApp({ config, db, queues, others, log, mcp, changes });
    return { redis, queues, others, stopSampling: startSampling({ db, log }) };
  });
  onShutdown({ log, graceMs: 10_000 }, async () => {
    stop.abort();
    server.close();
    await changes.idle(); // half of one is finished only by the next one, and its page waits for the answer
    server.closeAllConnections();
    await mcp.close();
    const parts = await connected;
    if (parts === null) return;
    const sampled = parts.stopSampling();
    await Promise.all([parts.others.close(), ...Object.values(parts.queues).map((queue) => queue.close())]);
    parts.redis.disconnect();
    await sampled; // a Redis that does not answer holds no end up
  });
});

import { createServer } from 'node:http';
import { buildApp } from '../../../dashboards/app.ts';
import { listen } from '../../../dashboards/listen.ts';
import { createTurns } from '../../../dashboards/patches/turns.ts';
import { loadConfig, type Config } from '../../../src/config/environment.ts';
import { connectQueues } from '../../../src/jobs/connect-queue.ts';
import { createMcpHttp } from '../../../src/mcp/http.ts';
import { openOtherSwarms } from '../../../src/other-swarms/open-other-swarms.ts';
import { createLogger } from '../../../src/process/logger.ts';
import type { TestRedis } from '../redis/use-redis.ts';

/** For tests only. */
export const TEST_PASSWORD = 'correct horse';

/** The dashboard on a free port, over the test's own Redis and swarm; closed after the test. */
export async function startDashboard(fixture: TestRedis, env: Record<string, string> = {}) {
  const config: Config = loadConfig({
    FLEET_HOME: fixture.folder, // no .env of the checkout
    REDIS_URL: fixture.url,
    FLEET_SWARM: fixture.swarm,
    DASHBOARD_PORT: '0',
    ...env,
  });
  const db = await fixture.connectDb('producer');
  const queues = connectQueues(db);
  await Promise.all(Object.values(queues).map((queue) => queue.waitUntilReady()));
  const lines: string[] = [];
  const log = createLogger('dashboard', 'debug', { write: (line) => void lines.push(line) });
  const mcp = createMcpHttp({ config, log });
  const others = openOtherSwarms({ config, db });
  const server = createServer(buildApp({ config, db, queues, others, log, mcp, changes: createTurns() }));
  const url = await listen(server, config);
  fixture.cleanup(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await mcp.close();
    await others.close();
    await Promise.all(Object.values(queues).map((queue) => queue.close()));
  });

  const base = url.replace(/\/$/, '');
  const port = Number(new URL(url).port);
  /** A request of a program: without Origin, and without a cookie unless one is given. */
  const ask = (path: string, init: RequestInit = {}) => fetch(`${base}${path}`, { redirect: 'manual', ...init });
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    ask(path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return { base, port, ask, send, db, ...db, queues, others, lines, config, mcp };
}

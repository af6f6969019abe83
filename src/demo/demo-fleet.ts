import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type Config } from '../config/environment.ts';
import { findFreePort } from '../redis/server/embedded.ts';
import { ensureRedisServer } from '../redis/server/install.ts';
import { DemoProcesses } from './demo-processes.ts';

/** A whole fleet on simulated models, apart from every other fleet of this machine. */
export interface DemoFleet {
  config: Config;
  folder: string;
  dashboardUrl: string;
  /** Process ids of all its processes, the redis-server included. */
  pids: number[];
  /** Ends all its processes and removes its folder. Safe to call twice, and while it starts. */
  stop(): Promise<void>;
}

/** Name of the demo's workspace. */
export const DEMO_WORKSPACE = 'demo';

/** Variables that a child process gets from the shell: none of another fleet's, no key, no `.env`. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER', 'SystemRoot'];

/**
 * Starts a Redis, the simulator, a dashboard, a coordinator, a librarian and Haiku workers over one folder. All of them end
 * with this process, whenever and however it ends, unless `keep`.
 * @param onStop called before anything starts, with the function that ends what has started by then
 */
export async function startDemoFleet(
  options: { workspace: string; keep: boolean; haikuCount: number },
  onStop: (stop: () => Promise<void>) => void,
): Promise<DemoFleet> {
  const { workspace, keep, haikuCount } = options;
  await ensureRedisServer();
  const folder = mkdtempSync(join(tmpdir(), 'fleet-demo-'));
  for (const name of ['logs', 'home']) mkdirSync(join(folder, name));
  const processes = new DemoProcesses(folder, keep);
  const stop = (): Promise<void> => processes.stop();
  onStop(stop);

  const base = Object.fromEntries(INHERITED.map((name) => [name, process.env[name]]));
  const [redis, simulatorUrl, port] = await Promise.all([
    processes.startRedis(),
    processes.startSimulator(base),
    findFreePort(),
  ]);
  const env = {
    ...base,
    FLEET_HOME: join(folder, 'home'),
    FLEET_DATA: join(folder, 'data'),
    FLEET_OFFLINE: '1',
    FLEET_WORKSPACES: `${DEMO_WORKSPACE}=${workspace}`,
    REDIS_URL: redis.url,
    ANTHROPIC_BASE_URL: simulatorUrl,
    GEMINI_BASE_URL: simulatorUrl,
    DASHBOARD_PORT: String(port),
  };
  await Promise.all([
    processes.fork('dashboard', 'dashboards/server.js', env),
    processes.fork('coordinator', 'workers/coordinator.js', env),
    processes.fork('librarian', 'workers/librarian.js', env),
    ...Array.from({ length: haikuCount }, (_, i) => processes.fork(`haiku-${i + 1}`, 'workers/haiku.js', env)),
  ]);
  return {
    config: loadConfig(env),
    folder,
    dashboardUrl: `http://127.0.0.1:${port}`,
    pids: processes.pids,
    stop,
  };
}

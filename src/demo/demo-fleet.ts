import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type Config } from '../config/environment.ts';
import { forkChild, spawnSimulator, type Child } from '../process/fork-child.ts';
import { findFreePort, startEmbeddedRedis, type EmbeddedRedis } from '../redis/server/embedded.ts';
import { ensureRedisServer } from '../redis/server/install.ts';

/** A whole fleet on simulated models, beside whatever else runs on this machine. */
export interface DemoFleet {
  config: Config;
  folder: string;
  dashboardUrl: string;
  /** Every process of it, the redis-server included. */
  pids: number[];
  /** Ends all of it and removes its folder. Safe to call twice, and while it starts. */
  stop(): Promise<void>;
}

/** The name under which the demo's tasks know the folder. */
export const DEMO_WORKSPACE = 'demo';

/** Told to a child process by its environment; nothing of the shell's fleet, no key, no `.env`. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER', 'SystemRoot'];

/**
 * Starts a Redis, the simulator, a dashboard, a coordinator, a librarian and Haiku workers over one folder. All of it ends with this process, however
 * that ends, unless `keep`.
 * @param onStop given the way to end what was started so far, before anything is
 */
export async function startDemoFleet(
  options: { workspace: string; keep: boolean; haikuCount: number },
  onStop: (stop: () => Promise<void>) => void,
): Promise<DemoFleet> {
  const { workspace, keep, haikuCount } = options;
  await ensureRedisServer();
  const folder = mkdtempSync(join(tmpdir(), 'fleet-demo-'));
  const [logFolder, home] = [join(folder, 'logs'), join(folder, 'home')];
  for (const path of [logFolder, home]) mkdirSync(path);
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  if (!keep) process.once('exit', removeFolder); // also where nobody had the time to stop it: `fleet demo | head`
  const children: Child[] = [];
  const started: Promise<unknown>[] = [];
  let redis: EmbeddedRedis | undefined;
  const stop = async (): Promise<void> => {
    await Promise.allSettled(started);
    await Promise.all(children.map((child) => child.stop()));
    await redis?.stop(); // last: the others store their last words in it
    process.off('exit', removeFolder);
    removeFolder();
  };
  onStop(stop);
  const track = <T>(starting: Promise<T>): Promise<T> => {
    started.push(starting);
    return starting;
  };
  const keepChild = <T extends Child>(child: T): T => {
    children.push(child);
    return child;
  };

  const base = Object.fromEntries(INHERITED.map((name) => [name, process.env[name]]));
  const [server, simulator, port] = await Promise.all([
    track(startEmbeddedRedis({ folder: join(folder, 'redis'), endWithParent: !keep }).then((one) => (redis = one))),
    track(spawnSimulator({ env: base, logFolder, keep, args: ['--latency-ms', '50'] }).then(keepChild)),
    findFreePort(),
  ]);
  const env = {
    ...base,
    FLEET_HOME: home,
    FLEET_DATA: join(folder, 'data'),
    FLEET_OFFLINE: '1',
    FLEET_WORKSPACES: `${DEMO_WORKSPACE}=${workspace}`,
    REDIS_URL: server.url,
    ANTHROPIC_BASE_URL: simulator.url,
    GEMINI_BASE_URL: simulator.url,
    DASHBOARD_PORT: String(port),
  };
  const fork = (name: string, script: string) =>
    track(forkChild({ name, script, env, logFolder, keep }).then(keepChild));
  await Promise.all([
    fork('dashboard', 'dashboards/server.js'),
    fork('coordinator', 'workers/coordinator.js'),
    fork('librarian', 'workers/librarian.js'),
    ...Array.from({ length: haikuCount }, (_, at) => fork(`haiku-${at + 1}`, 'workers/haiku.js')),
  ]);
  return {
    config: loadConfig(env),
    folder,
    dashboardUrl: `http://127.0.0.1:${port}`,
    pids: [...children.map((child) => child.pid), server.pid],
    stop,
  };
}

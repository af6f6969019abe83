import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFleet, type OpenFleet } from '../../api/open-fleet.ts';
import { loadConfig } from '../../config/environment.ts';
import { DemoProcesses } from '../../demo/demo-processes.ts';
import { spawnSimulator } from '../../process/fork-child.ts';
import { ensureRedisServer } from '../../redis/server/install.ts';
import { summarize, time, type Measured } from './types.ts';

/** Variables that a process gets from the shell: none of another fleet's, no key, no `.env`. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER'];
const SPAWNS = 3;

/**
 * Measures how long a worker process takes until it is ready, and a task from being enqueued until its finding is stored, on a
 * fleet of its own: own Redis, three workers, and a simulated model that answers at once. It costs nothing and touches no other fleet.
 * @param rounds tasks, one after the other; then as many at once
 * @param onStop called before anything starts, with the function that ends what has started by then
 */
export async function measureSpawn(rounds: number, onStop: (stop: () => Promise<void>) => void): Promise<Measured[]> {
  await ensureRedisServer();
  const folder = mkdtempSync(join(tmpdir(), 'fleet-bench-'));
  for (const name of ['logs', 'home']) mkdirSync(join(folder, name));
  const processes = new DemoProcesses(folder, false);
  let simulator: Awaited<ReturnType<typeof spawnSimulator>> | null = null;
  const stop = async (): Promise<void> => {
    await processes.stop();
    await simulator?.stop();
  };
  onStop(stop);
  try {
    const base = Object.fromEntries(INHERITED.map((name) => [name, process.env[name]]));
    const redis = await processes.startRedis();
    simulator = await spawnSimulator({
      env: base,
      logFolder: join(folder, 'logs'),
      keep: false,
      args: ['--latency-ms', '0'],
    });
    const env = {
      ...base,
      FLEET_HOME: join(folder, 'home'),
      FLEET_DATA: join(folder, 'data'),
      FLEET_OFFLINE: '1',
      FLEET_BUDGET_USD: '1000',
      FLEET_LOG_LEVEL: 'warn',
      REDIS_URL: redis.url,
      ANTHROPIC_BASE_URL: simulator.url,
    };
    const spawns = await time(SPAWNS, (n) => processes.fork(`haiku-${n + 1}`, 'workers/haiku.js', env));
    const fleet = await openFleet(loadConfig(env));
    try {
      return [summarize('worker process, start to ready', 'ms', spawns), ...(await measureTasks(fleet, rounds))];
    } finally {
      await fleet.close();
    }
  } finally {
    await stop();
  }
}

async function measureTasks({ tasks }: OpenFleet, rounds: number): Promise<Measured[]> {
  const run = async (name: string): Promise<unknown> => (await tasks.add({ description: `Say ${name}` })).result();
  await time(Math.min(5, rounds), (n) => run(`warm ${n}`));
  const single = await time(rounds, (n) => run(`one ${n}`));
  const [together = 0] = await time(1, () => Promise.all(Array.from({ length: rounds }, (_, n) => run(`many ${n}`))));
  return [
    summarize('task, enqueued to finding, one at a time', 'ms', single),
    { ...summarize(`tasks, ${rounds} at once`, 'tasks/s', [rounds / (together / 1_000)]), count: rounds },
  ];
}

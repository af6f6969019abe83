import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { buildApp } from '../dashboards/app.ts';
import { listen } from '../dashboards/listen.ts';
import { createTurns } from '../dashboards/patches/turns.ts';
import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import { packageFolder } from '../src/config/package-folder.ts';
import { createMcpHttp } from '../src/mcp/http.ts';
import { openOtherSwarms } from '../src/other-swarms/open-other-swarms.ts';
import { createLogger } from '../src/process/logger.ts';
import { fillQueue } from './jobs.ts';
import { median, type Measure } from './measure.ts';
import { startScratchRedis, type ScratchRedis } from './scratch-redis.ts';

const WAITING = Number(process.env['BENCH_WAITING'] ?? 1_000_000);
const ROUNDS = 5;
const SECOND = 1_000;
/** The server shares a read of the fleet's state for so long. */
const KEPT_MS = 600;

/** What a person reads while a million tasks wait: its address, and which of the Redis commands it sends count. */
const READS = [
  { name: 'overview', path: '/api/status', counted: /./ },
  { name: 'header', path: '/api/head', counted: /./ },
  { name: 'first event of the overview', path: '/api/events?of=overview', counted: /./ },
  // Inside its scripts it reads the jobs of its page, which is empty where there are none.
  { name: 'page of tasks', path: '/api/jobs', counted: /^(?:evalsha|ping)$/ },
] as const;

interface Look {
  ms: number;
  commands: number;
}

/** How long `fleet status` and the pages take while `BENCH_WAITING` tasks wait, and their Redis commands beside those at none. */
export async function measureWaiting(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    const fleet = await openFleet(redis.config({ FLEET_SWARM: 'waiting' }));
    const page = await openDashboard(redis, fleet);
    const looks = async (): Promise<Look[]> => {
      const seen: Look[] = [];
      for (const { path, counted } of READS) seen.push(await lookAt(fleet, () => page.read(path), counted));
      return seen;
    };
    const atNone = await looks();
    await fillQueue(fleet, WAITING);
    const full = await looks();
    const status = await timeStatus(redis);
    await page.close();
    await fleet.close();
    return [
      { name: `fleet status, ${WAITING} waiting, with its start`, value: status, unit: 'ms', bar: { atMost: SECOND } },
      ...READS.flatMap(({ name }, i): Measure[] => [
        { name: `${name}, ${WAITING} waiting`, value: full[i]?.ms ?? NaN, unit: 'ms', bar: { atMost: SECOND } },
        {
          name: `its commands, ${WAITING} waiting`,
          value: full[i]?.commands ?? NaN,
          unit: 'commands',
          bar: { exactly: atNone[i]?.commands ?? NaN },
        },
      ]),
    ];
  } finally {
    await redis.stop();
  }
}

/** The median time of a read, and the commands of one. */
async function lookAt(fleet: OpenFleet, read: () => Promise<void>, counted: RegExp): Promise<Look> {
  const { redis } = fleet.inner.db;
  const times: number[] = [];
  let commands = 0;
  await read(); // sends the scripts' texts
  for (let round = 0; round < ROUNDS; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, KEPT_MS));
    await redis.config('RESETSTAT');
    const began = performance.now();
    await read();
    times.push(performance.now() - began);
    const stats = await redis.info('commandstats');
    const rows = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
    commands = rows
      .filter(([, name = '']) => !/^(?:config|info|client)/.test(name) && counted.test(name))
      .reduce((sum, [, , calls]) => sum + Number(calls), 0);
  }
  return { ms: median(times), commands };
}

async function openDashboard(redis: ScratchRedis, fleet: OpenFleet) {
  const config = redis.config({ FLEET_SWARM: 'waiting', DASHBOARD_PORT: '0' });
  const { db, queues } = fleet.inner;
  const log = createLogger('dashboard', 'fatal');
  const others = openOtherSwarms({ config, db });
  const mcp = createMcpHttp({ config, log });
  const server = createServer(buildApp({ config, db, queues, others, log, mcp, changes: createTurns() }));
  const base = (await listen(server, config)).replace(/\/$/, '');
  return {
    /** Reads an answer, or of a stream the first event. */
    async read(path: string): Promise<void> {
      const response = await fetch(`${base}${path}`);
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      if (!path.includes('/events')) return void (await response.text());
      const reader = response.body?.getReader();
      await reader?.read();
      await reader?.cancel();
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await mcp.close();
      await others.close();
    },
  };
}

async function timeStatus(redis: ScratchRedis): Promise<number> {
  const env = redis.env({ FLEET_SWARM: 'waiting' });
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    const script = join(packageFolder, 'dist/src/cli/main.js');
    const child = spawn(process.execPath, [script, 'status'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`fleet status: exit code ${code}`);
    times.push(performance.now() - began);
  }
  return median(times);
}

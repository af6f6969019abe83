import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMission, readMissionFields } from '../src/coordinator/mission/record.ts';
import type { MissionRecord } from '../src/coordinator/mission/types.ts';
import { expandPlan } from '../src/coordinator/plan/expand.ts';
import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import { AMPLE_LIMITS } from '../simulator/anthropic/limits/token-limits.ts';
import { startSimulator, type Simulator } from '../simulator/simulator.ts';
import { startFleetProcess, type FleetProcess } from './fleet-process.ts';
import type { Measure } from './measure.ts';
import { startScratchRedis, type ScratchRedis } from './scratch-redis.ts';

const CHILDREN = 2_000;
const KILL_EVERY_MS = 2_000;
/** Longest time of a mission. After it, the benchmark fails. */
const GIVE_UP_MS = 5 * 60_000;
/** The demo's goal, for a small folder. */
const DEMO_GOAL = 'What is in here, what does it do, and what is left to do?';

/** One measured fleet. */
interface Stage {
  fleet: OpenFleet;
  simulator: Simulator;
  env: Record<string, string | undefined>;
}

/** Measures missions of real processes with the simulated provider: memory, Redis' memory for each task, kills, and delegation. */
export async function measureMission(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    return [...(await measureCalm(redis)), ...(await measureKilled(redis)), ...(await measureDelegation(redis))];
  } finally {
    await redis.stop();
  }
}

async function measureCalm(redis: ScratchRedis): Promise<Measure[]> {
  return onStage(redis, 'calm', async (stage) => {
    const coordinator = await startFleetProcess('coordinator', stage.env);
    const before = await readRedisBytes(stage.fleet);
    let most = before;
    const record = await runMission(stage, `Check it. [[tasks:${CHILDREN}]]`, async () => {
      most = Math.max(most, await readRedisBytes(stage.fleet));
    });
    const after = await readRedisBytes(stage.fleet);
    await coordinator.end('SIGTERM');
    const each = (bytes: number): number => (bytes - before) / CHILDREN / 1024;
    return [
      {
        name: `mission of ${CHILDREN} tasks: done`,
        value: record.counts.done,
        unit: 'findings',
        bar: { exactly: CHILDREN },
      },
      { name: 'coordinator, most resident memory', value: coordinator.peakMb(), unit: 'MB', bar: { atMost: 200 } },
      { name: 'Redis above empty for each task, at the most', value: each(most), unit: 'kB', bar: { atMost: 10 } },
      { name: 'Redis above empty for each task, at the end', value: each(after), unit: 'kB', bar: { atMost: 10 } },
    ];
  });
}

async function measureKilled(redis: ScratchRedis): Promise<Measure[]> {
  return onStage(redis, 'killed', async (stage) => {
    const { fleet, simulator, env } = stage;
    const { redis: connection, keys } = fleet.inner.db;
    const killer = killRepeatedly(() => startFleetProcess('coordinator', env));
    const record = await runMission(stage, `Check it. [[tasks:${CHILDREN}]]`, async () => undefined);
    const kills = await killer.stop();
    const served = simulator.anthropic.requests().filter((request) => request.served);
    const once = new Set(served.map(({ user, requestHash }) => `${user} ${requestHash}`)).size;
    const uncertain = Number((await connection.hget(keys.counters, 'uncertain_calls')) ?? 0);
    const own = served.filter(({ user }) => user?.startsWith('mission-') === true && !/-\d+$/.test(user)).length;
    return [
      { name: 'the same with kill -9 of the coordinator every 2 s: kills', value: kills, unit: 'calls' },
      { name: '  tasks done', value: record.counts.done, unit: 'findings', bar: { exactly: CHILDREN } },
      {
        name: '  findings besides: the synthesis',
        value: (await fleet.findings.count()) - CHILDREN,
        unit: 'findings',
        bar: { exactly: 1 },
      },
      {
        name: "  the mission's own paid calls: plan, synthesis",
        value: own - uncertain,
        unit: 'calls',
        bar: { exactly: 2 },
      },
      { name: '  calls killed before their reply was stored', value: uncertain, unit: 'calls' },
      { name: '  calls paid twice', value: served.length - once - uncertain, unit: 'calls', bar: { atMost: 0 } },
    ];
  });
}

async function measureDelegation(redis: ScratchRedis): Promise<Measure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-bench-site-'));
  try {
    for (const name of [
      'README.md',
      'tea.md',
      'rum.md',
      'prices.csv',
      'order.ts',
      'stock.ts',
      'main.ts',
      'notes.txt',
    ]) {
      writeFileSync(join(folder, name), `# ${name}\n\nIt sells tea. TODO: count the crates.\n`);
    }
    return await onStage(
      redis,
      'delegation',
      async (stage) => {
        const names = ['coordinator', 'librarian'] as const;
        const processes = await Promise.all(names.map((name) => startFleetProcess(name, stage.env)));
        const record = await runMission(stage, DEMO_GOAL, async () => undefined, { workspace: 'site' });
        await Promise.all(processes.map((process) => process.end('SIGTERM')));
        const nodes = record.plan === null ? [] : expandPlan(record.plan); // the record of a done mission has no nodes
        const haiku = nodes.filter((node) => node.model === 'haiku').length;
        const share = (100 * haiku) / nodes.length;
        return [
          { name: "the demo's plan: tasks", value: nodes.length, unit: 'findings', bar: { atLeast: 10 } },
          { name: "the demo's plan: tasks for Haiku", value: share, unit: '%', bar: { atLeast: 90 } },
        ];
      },
      { FLEET_WORKSPACES: `site=${folder}` },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts a simulated provider, a worker and a connected fleet in a new swarm, and measures. */
async function onStage(
  scratch: ScratchRedis,
  swarm: string,
  measure: (stage: Stage) => Promise<Measure[]>,
  more: Record<string, string> = {},
): Promise<Measure[]> {
  await scratch.empty();
  const simulator = await startSimulator({ anthropic: { latencyMs: 20, logLimit: 50_000, limits: AMPLE_LIMITS } });
  const settings = {
    FLEET_SWARM: swarm,
    FLEET_HAIKU_CONCURRENCY: '20',
    ANTHROPIC_BASE_URL: simulator.url,
    GEMINI_BASE_URL: simulator.url,
    ...more,
  };
  const config = scratch.config(settings);
  const env = scratch.env(settings);
  const fleet = await openFleet(config);
  const haiku = await startFleetProcess('haiku', env);
  try {
    return await measure({ fleet, simulator, env });
  } finally {
    await haiku.end('SIGTERM');
    await fleet.close();
    await simulator.close();
  }
}

/** Adds one mission and polls it until it has ended. @throws Error if it fails, asks or does not end */
async function runMission(
  { fleet }: Stage,
  goal: string,
  look: () => Promise<void>,
  more: { workspace?: string } = {},
): Promise<MissionRecord> {
  const { db } = fleet.inner;
  const { id } = await fleet.missions.add({ goal, ...more });
  const deadline = Date.now() + GIVE_UP_MS;
  while (Date.now() < deadline) {
    await look();
    const [state] = await readMissionFields(db, id, 'state');
    if (state === 'done' || state === 'failed' || state === 'asks') {
      const record = await readMission(db, id);
      if (record?.state === 'done') return record;
      throw new Error(`mission ${id}: ${state}: ${record?.problem ?? ''}`);
    }
    await sleep(100);
  }
  throw new Error(`mission ${id}: not done within ${GIVE_UP_MS / 60_000} minutes`);
}

function killRepeatedly(start: () => Promise<FleetProcess>): { stop(): Promise<number> } {
  const stopped = new AbortController();
  let kills = 0;
  const killing = (async () => {
    for (;;) {
      const process = await start();
      await sleep(KILL_EVERY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) return process.end('SIGTERM');
      await process.end('SIGKILL');
      kills += 1;
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await killing;
      return kills;
    },
  };
}

async function readRedisBytes({ inner }: OpenFleet): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await inner.db.redis.info('memory'))?.[1] ?? 0);
}

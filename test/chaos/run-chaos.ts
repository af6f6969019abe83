import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AMPLE_LIMITS } from '../../simulator/anthropic/limits/token-limits.ts';
import { startSimulator } from '../../simulator/simulator.ts';
import { openFleet } from '../../src/api/open-fleet.ts';
import { loadConfig } from '../../src/config/environment.ts';
import { createHaltSwitch } from '../../src/halt/halt.ts';
import { createRandom } from '../support/random.ts';
import { HaltWatch } from './checks/halts.ts';
import { checkMoney } from './checks/money.ts';
import { percentile, Recovery } from './checks/recovery.ts';
import { atMost, exactly, shown, type Row } from './checks/result.ts';
import { checkWork } from './checks/work.ts';
import { CuttingProxy } from './fleet/cutting-proxy.ts';
import { RedisHost } from './fleet/redis-host.ts';
import { Supervisor, type Kind } from './fleet/supervisor.ts';
import type { ChaosOptions } from './options.ts';
import { addWork, countOpen } from './work.ts';

/** What the provider does to calls beside serving them. */
const PROVIDER_FAULTS = [
  { kind: 'overloaded' as const, when: { probability: 0.005 } },
  { kind: 'cut' as const, when: { probability: 0.005 } },
  { kind: 'reset-after' as const, when: { probability: 0.002 } },
];
const QUEUES: Record<Kind, string> = { haiku: 'tasks', librarian: 'archive', coordinator: 'missions' };
const SHIFT_MS = 26 * 3_600_000;
const SAY_EVERY_MS = 10_000;
/** No job ended for so long: the run is stuck. */
const STUCK_MS = 240_000;
const CLOSE_MS = 60_000;
const RECOVERY = 'recovery, 99th percentile';
const RECOVERED_WITHIN_MS = 15_000;

/** Runs the fleet under faults until all work has ended. @param say takes lines of progress. @returns the lines of the table */
export async function runChaos(options: ChaosOptions, say: (line: string) => void): Promise<Row[]> {
  const random = createRandom(options.seed);
  const folder = mkdtempSync(join(tmpdir(), 'fleet-chaos-'));
  const site = join(folder, 'site');
  const temporary = join(folder, 'tmp');
  for (const path of [site, join(site, 'out'), temporary]) mkdirSync(path);
  writeFileSync(join(site, 'a.txt'), 'the import of tea\n'.repeat(50));
  const host = await RedisHost.start(folder);
  const leaveNothing = (): void => {
    host.killNow();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', leaveNothing); // Ctrl-C; the fleet's processes end with this one
  const proxy = new CuttingProxy(host.port, () => options.cutOneIn > 0 && random(1, options.cutOneIn) === 1);
  const url = await proxy.listen();
  const direct = `redis://127.0.0.1:${host.port}`;
  const simulator = await startSimulator({
    anthropic: {
      seed: options.seed,
      latencyMs: 100,
      faults: PROVIDER_FAULTS,
      logLimit: 1_000,
      limits: AMPLE_LIMITS, // the waits for a small account's limits are measured by `npm run bench -- pacing`
    },
    gemini: { seed: options.seed, latencyMs: 100 },
  });
  const settings = {
    FLEET_HOME: folder,
    FLEET_DATA: folder,
    FLEET_SWARM: 'chaos',
    FLEET_OFFLINE: '1',
    FLEET_BUDGET_USD: '100000',
    FLEET_WORKSPACES: `site=${site}`,
    FLEET_HAIKU_CONCURRENCY: String(options.slots),
    ANTHROPIC_BASE_URL: simulator.url,
    GEMINI_BASE_URL: simulator.url,
  };
  const config = loadConfig({ ...settings, REDIS_URL: direct, FLEET_LOG_LEVEL: 'silent' });
  const fleet = await openFleet(config);
  const watcher = await openFleet(config);
  const { PATH, HOME } = process.env;
  const ended: string[] = [];
  const supervisor = new Supervisor({
    env: { PATH, HOME, TMPDIR: temporary, FLEET_LOG_LEVEL: 'warn', ...settings },
    redisUrl: () => url,
    clockShiftMs: () => random(-SHIFT_MS, SHIFT_MS),
    onEndedByItself: (life, how, output) => {
      ended.push(`${life.id} (${how})`);
      say(`${life.id} ended by itself: ${how}\n${output}`);
    },
  });
  const recovery = new Recovery(watcher.inner.db, () => host.backAt);
  const halts = new HaltWatch(createHaltSwitch(watcher.inner.db, Object.values(watcher.inner.queues)));
  const kills: Record<string, number> = { haiku: 0, librarian: 0, coordinator: 0, redis: 0, disk: 0 };

  async function killOne(kind: Kind): Promise<void> {
    const ready = supervisor.ready(kind);
    const life = ready[random(0, ready.length - 1)];
    if (life === undefined) return;
    await supervisor.kill(life);
    kills[kind] = (kills[kind] ?? 0) + 1;
    await recovery.note(QUEUES[kind], life.id).catch(() => undefined); // Redis is away, too
  }

  async function harm(): Promise<void> {
    const draw = random(1, 100);
    if (draw <= 70) return killOne('haiku');
    if (draw <= 80) return killOne('librarian');
    if (draw <= 90) return killOne('coordinator');
    if (draw <= 97) {
      await host.kill();
      kills['redis'] = (kills['redis'] ?? 0) + 1;
      await sleep(random(0, 1_500));
      return host.start();
    }
    kills['disk'] = (kills['disk'] ?? 0) + 1;
    return host.fillDisk(random(500, 3_000));
  }

  try {
    for (let i = 1; i <= options.workers; i += 1) supervisor.start('haiku', `haiku-${i}`);
    for (let i = 1; i <= 2; i += 1) supervisor.start('librarian', `librarian-${i}`);
    supervisor.start('coordinator', 'coordinator-1');
    const startedAt = performance.now();
    const adding = addWork(fleet, options, random);
    const added = { all: false };
    void adding.then(
      () => (added.all = true),
      () => undefined,
    );
    let harming: Promise<void> | null = null;
    let open = Number.POSITIVE_INFINITY;
    let [changedAt, saidAt, nextKillAt] = [
      performance.now(),
      performance.now(),
      performance.now() + options.killEveryMs,
    ];
    while (!added.all || open > 0) {
      await sleep(50);
      const now = performance.now();
      if (harming === null && now >= nextKillAt) {
        nextKillAt = Math.max(nextKillAt + options.killEveryMs, now);
        harming = harm().finally(() => (harming = null));
      }
      if (now - saidAt < SAY_EVERY_MS && (open > 200 || now - saidAt < 500)) continue;
      const states = await countOpen(watcher).catch(() => null);
      if (states === null) continue; // Redis is away
      const counted = Object.values(states).reduce((sum, count) => sum + count, 0);
      if (counted !== open) changedAt = now;
      open = counted;
      if (now - saidAt >= SAY_EVERY_MS) {
        saidAt = now;
        say(
          `${Math.round((now - startedAt) / 1_000)} s: ${open} jobs open (${toList(states)}); killed: ${toList(kills)}; ${proxy.cuts} answers cut; ${recovery.openCount} jobs to recover`,
        );
      }
      if (now - changedAt > STUCK_MS) throw new Error(`no job ended for ${STUCK_MS / 1_000} s; ${open} are open`);
    }
    await harming;
    const seconds = (performance.now() - startedAt) / 1_000;
    proxy.isOn = false;
    const wanted = await adding;
    const forced = await supervisor.close(CLOSE_MS);
    await Promise.all([recovery.close(), halts.close()]);
    const times = recovery.times;
    const p99 = percentile(times, 0.99) / 1_000;
    return [
      shown('seconds', seconds),
      ...Object.entries(kills).map(([kind, count]) => shown(kind === 'disk' ? 'full disks' : `kills: ${kind}`, count)),
      shown('answers of Redis cut', proxy.cuts),
      ...(await checkWork(watcher, wanted, say)),
      ...(await checkMoney(watcher.inner.db, simulator, say)),
      shown('jobs recovered', times.length),
      shown('recovery, 50th percentile', percentile(times, 0.5) / 1_000, ' s'),
      options.untimed ? shown(RECOVERY, p99, ' s') : atMost(RECOVERY, p99, RECOVERED_WITHIN_MS / 1_000, ' s'),
      shown('recovery, longest', percentile(times, 1) / 1_000, ' s'),
      exactly('false halts', halts.halts.length, 0),
      exactly('processes that ended by themselves', ended.length, 0),
      exactly('processes that did not end on SIGTERM', forced, 0),
    ];
  } finally {
    await supervisor.close(1_000);
    await Promise.all([recovery.close(), halts.close()]);
    for (const line of halts.halts) say(`halted: ${line}`);
    await Promise.all([fleet.close(), watcher.close()]);
    await proxy.close();
    await simulator.close();
    await host.kill();
    process.off('exit', leaveNothing);
    leaveNothing();
  }
}

/** `3 waiting, 1 active`: what there is of each. */
function toList(counts: Record<string, number>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.map(([name, count]) => `${count} ${name}`).join(', ') || 'none';
}

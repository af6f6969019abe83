import { loadConfig, requireAnthropicKey, type Config } from '../config/environment.ts';
import { UsageError } from '../errors.ts';
import { seedBudget } from '../ledger/budget.ts';
import { connectRedis } from '../redis/connect.ts';
import { createDb } from '../redis/db.ts';
import { runPreflight } from '../redis/preflight.ts';
import { buildApps, toAppName, toNamespace, type App } from './apps.ts';
import { chooseRedis } from './select-redis.ts';
import { withPm2, type Pm2, type Pm2Process } from './pm2.ts';
import { waitUntilReady, type ProcessProblem } from './wait-until-ready.ts';

export interface UpOptions {
  /** Haiku processes; default FLEET_HAIKU_PROCESSES. */
  haiku?: number;
  /** Librarian processes; default FLEET_LIBRARIAN_PROCESSES. None is started without a Gemini key. */
  librarians?: number;
  /** True: the fleet's own Redis, for good. False: the one of REDIS_URL again. Left out: as chosen before. */
  embedded?: boolean;
}

export interface UpReport {
  /** Ready processes by app name. */
  ready: Record<string, number>;
  problems: ProcessProblem[];
  warnings: string[];
  redisUrl: string;
  dashboardUrl: string;
  /** The day's budget in force, nano-dollars. */
  budgetNanoUsd: number;
}

/**
 * Brings the fleet up through pm2 and waits until every process is ready or has failed. What runs already stays as it is.
 * @throws ConfigError, RedisUnusableError before anything is started
 */
export async function bringUp(env: NodeJS.ProcessEnv, options: UpOptions): Promise<UpReport> {
  const before = loadConfig(env);
  requireAnthropicKey(before);
  return withPm2(async (pm2) => {
    const config = await settleRedis(pm2, before, env, options.embedded);
    const since = Date.now();
    const running = countReady(await pm2.list(toNamespace(config)));
    const apps = buildApps(config, {
      haiku: options.haiku ?? atLeast(running[toAppName(config, 'haiku')], config.FLEET_HAIKU_PROCESSES),
      librarian:
        options.librarians ?? atLeast(running[toAppName(config, 'librarian')], config.FLEET_LIBRARIAN_PROCESSES),
    });
    const redisApp = apps.filter((app) => app.name === toAppName(config, 'redis'));
    const others = apps.filter((app) => !redisApp.includes(app));

    await startMissing(pm2, config, redisApp);
    const redisProblems = await waitUntilReady(pm2, redisApp, since);
    const { warnings, budgetNanoUsd } =
      redisProblems.length > 0 ? { warnings: [], budgetNanoUsd: 0 } : await lookAtRedis(config);
    if (redisProblems.length === 0) await startMissing(pm2, config, others);
    const problems = redisProblems.length > 0 ? redisProblems : await waitUntilReady(pm2, others, since);
    return {
      ready: countReady(await pm2.list(toNamespace(config))),
      problems,
      warnings: [...warnings, ...toShardWarnings(config)],
      redisUrl: config.REDIS_URL,
      dashboardUrl: `http://${config.DASHBOARD_HOST}:${config.DASHBOARD_PORT}`,
      budgetNanoUsd,
    };
  });
}

async function settleRedis(
  pm2: Pm2,
  config: Config,
  env: NodeJS.ProcessEnv,
  wanted: boolean | undefined,
): Promise<Config> {
  if (wanted === undefined || wanted === (config.embedded !== null)) return config;
  const running = await pm2.list(toNamespace(config));
  if (running.length > 0) {
    throw new UsageError(
      'the fleet is up on another Redis: call `fleet down` first, then `fleet up` with the new choice',
    );
  }
  return chooseRedis(config, env, wanted);
}

/** Without a number asked for, more processes than configured are left alone. */
function atLeast(running: number | undefined, configured: number): number {
  return Math.max(running ?? 0, configured);
}

function toShardWarnings(config: Config): string[] {
  return config.shards.length > 0
    ? []
    : ['no librarian is started: GEMINI_API_KEY_SHARD1 (or GEMINI_API_KEY) is not set; questions to the archive wait'];
}

/** Said before any process starts and fails for it one by one. */
async function lookAtRedis(config: Config): Promise<{ warnings: string[]; budgetNanoUsd: number }> {
  const redis = await connectRedis(config.REDIS_URL, { role: 'producer', name: 'fleet-up' });
  try {
    const db = createDb(redis, config.FLEET_SWARM ?? null);
    const { warnings } = await runPreflight(db);
    return { warnings, budgetNanoUsd: await seedBudget(db, config.FLEET_BUDGET_USD) };
  } finally {
    redis.disconnect();
  }
}

async function startMissing(pm2: Pm2, config: Config, apps: App[]): Promise<void> {
  const listed = await pm2.list(toNamespace(config));
  for (const app of apps) {
    const mine = listed.filter((process) => process.name === app.name);
    const alive = mine.filter((process) => process.status === 'online' || process.status === 'launching');
    for (const dead of mine.filter((process) => !alive.includes(process))) await pm2.remove(dead.id);
    // Not awaited: pm2 answers when they are ready, and `waitUntilReady` sees earlier when one has failed.
    if (alive.length === 0) report(pm2.start(app));
    else if (alive.length < app.instances) report(pm2.scale(app.name, app.instances));
    else await Promise.all(alive.slice(app.instances).map((process) => pm2.remove(process.id)));
  }
}

/** What pm2 says of a process that fails is in the process' own list entry and error output. */
function report(starting: Promise<void>): void {
  starting.catch(() => undefined);
}

function countReady(processes: Pm2Process[]): Record<string, number> {
  const ready: Record<string, number> = {};
  for (const { name, status } of processes) {
    if (status === 'online') ready[name] = (ready[name] ?? 0) + 1;
  }
  return ready;
}

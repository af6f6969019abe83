import { hasArchive } from '../config/model-rows/archive-route.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { EMBEDDED_PORT, embeddedFolder, writeEmbeddedChoice } from '../config/source/embedded-choice.ts';
import { loadConfig, type Config } from '../config/environment.ts';
import { requireModelKeys } from '../models/create/require-keys.ts';
import { describeNameProblems } from '../models/create/known-models.ts';
import { describeNotes } from '../config/source/notes.ts';
import { findWorkspaceProblem } from '../config/workspaces.ts';
import { UsageError } from '../errors.ts';
import { seedBudget } from '../ledger/budget.ts';
import { connectRedis } from '../redis/connect.ts';
import { createDb } from '../redis/db.ts';
import { withRedisErrors } from '../redis/errors/redis-errors.ts';
import { runPreflight } from '../redis/preflight.ts';
import { findFreePort, isPortFree } from '../redis/server/embedded.ts';
import { ensureRedisServer } from '../redis/server/install.ts';
import { buildApps, READY_TIMEOUT_MS, toAppName, type App } from './apps.ts';
import { inTurn, type Changer } from './change-turn.ts';
import { handOverSecrets, toNamespace } from './hand-over.ts';
import { withPm2, type Pm2, type Pm2Process } from './pm2.ts';
import { hasFailed, waitUntilReady, type ProcessProblem } from './wait-until-ready.ts';

/** Between two looks at pm2's list. */
const LOOK_EVERY_MS = 150;

export interface UpOptions {
  /** Haiku processes; default FLEET_HAIKU_PROCESSES. */
  haiku?: number;
  /** Librarian processes; default FLEET_LIBRARIAN_PROCESSES. None is started without a Gemini key. */
  librarians?: number;
  /** True: use the fleet's own Redis from now on. False: use the one of REDIS_URL again. Left out: as chosen before. */
  embedded?: boolean;
  /** Called while another command changes what pm2 runs. */
  onWait?: (other: Changer) => void;
  /** Called when no other command does so any more. */
  onBegin?: () => void;
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
 * Starts the fleet through pm2 and waits until every process is ready or has failed. Processes that run already are left
 * alone.
 * @throws ConfigError, RedisUnusableError before anything is started
 */
export async function bringUp(env: NodeJS.ProcessEnv, options: UpOptions): Promise<UpReport> {
  const config = loadConfig(env);
  requireModelKeys(config, [config.FLEET_HAIKU_MODEL, config.FLEET_SONNET_MODEL]);
  return inTurn('up', options.onWait ?? (() => undefined), () => {
    options.onBegin?.();
    return startAll({ ...env }, options);
  });
}

async function startAll(env: NodeJS.ProcessEnv, options: UpOptions): Promise<UpReport> {
  const before = loadConfig(env); // again: another command may have chosen another Redis meanwhile
  return withPm2(async (pm2) => {
    const config = await chooseRedis(pm2, before, env, options.embedded);
    const since = Date.now();
    const listed = await waitForStarting(pm2, toNamespace(config));
    handOverSecrets(config, listed.length === 0);
    const running = countReady(listed);
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
      redisProblems.length > 0 ? { warnings: [], budgetNanoUsd: 0 } : await checkRedis(config);
    if (redisProblems.length === 0) await startMissing(pm2, config, others);
    const problems = redisProblems.length > 0 ? redisProblems : await waitUntilReady(pm2, others, since);
    return {
      ready: countReady(await pm2.list(toNamespace(config))),
      problems,
      warnings: [...(await toConfigWarnings(config)), ...warnings, ...toShardWarnings(config)],
      redisUrl: config.REDIS_URL,
      dashboardUrl: `http://${config.DASHBOARD_HOST}:${config.DASHBOARD_PORT}`,
      budgetNanoUsd,
    };
  });
}

/**
 * Waits until no process starts any more. A killed `up` leaves pm2 at work: it starts the second process of an app when the
 * first one is ready, so that another `up` would start it, too.
 */
async function waitForStarting(pm2: Pm2, namespace: string): Promise<Pm2Process[]> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  const look = async (): Promise<{ listed: Pm2Process[]; isQuiet: boolean }> => {
    const listed = await pm2.list(namespace);
    return { listed, isQuiet: !listed.some((process) => process.status === 'launching' && !hasFailed(process)) };
  };
  let seen = await look();
  // Twice: between two processes of an app none starts.
  for (let quiet = 0; seen.listed.length > 0 && quiet < 2 && Date.now() < deadline; seen = await look()) {
    quiet = seen.isQuiet ? quiet + 1 : 0;
    await sleep(LOOK_EVERY_MS);
  }
  return seen.listed;
}

/** @returns the configuration with the Redis that was asked for. @throws UsageError while the fleet runs on another one */
async function chooseRedis(
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
  return wanted ? selectEmbeddedRedis(config, env) : selectConfiguredRedis(config, env);
}

/** Uses the Redis of `REDIS_URL` again. @returns the configuration that every process of the fleet reads from now on */
function selectConfiguredRedis(config: Config, env: NodeJS.ProcessEnv): Config {
  writeEmbeddedChoice(config.dataFolder, config.FLEET_SWARM ?? null, null);
  return loadConfig(env);
}

/**
 * Makes the fleet's own Redis the one of this swarm, until another choice.
 * @returns the configuration that every process of the fleet reads from now on
 * @throws UsageError where REDIS_URL is set as well, RedisUnusableError where there is no redis-server
 */
async function selectEmbeddedRedis(config: Config, env: NodeJS.ProcessEnv): Promise<Config> {
  const swarm = config.FLEET_SWARM ?? null;
  await ensureRedisServer();
  const port = (await isPortFree(EMBEDDED_PORT)) ? EMBEDDED_PORT : await findFreePort();
  writeEmbeddedChoice(config.dataFolder, swarm, { port, folder: embeddedFolder(config.dataFolder, swarm) });
  const chosen = loadConfig(env);
  if (chosen.embedded !== null) return chosen;
  writeEmbeddedChoice(config.dataFolder, swarm, null);
  throw new UsageError(
    'REDIS_URL is set, so that the fleet would not use a Redis of its own: remove it or leave out --embedded',
  );
}

/** Where the caller asks for no number, processes beyond the configured number keep running. */
function atLeast(running: number | undefined, configured: number): number {
  return Math.max(running ?? 0, configured);
}

/** What is not as it should be with the variables, and with the workspaces on this host. */
async function toConfigWarnings(config: Config): Promise<string[]> {
  const folders = Object.entries(config.FLEET_WORKSPACES).map(async ([name, path]) => {
    const problem = await findWorkspaceProblem(path);
    return problem === null ? [] : [`workspace ${name}: ${problem.seen}; ${problem.fix}`];
  });
  return [...describeNotes(config.notes), ...describeNameProblems(config), ...(await Promise.all(folders)).flat()];
}

function toShardWarnings(config: Config): string[] {
  return hasArchive(config)
    ? []
    : [
        'no librarian is started: GEMINI_API_KEY_SHARD1 (or GEMINI_API_KEY) is not set, and no route of the kind archive names other models; questions to the archive wait',
      ];
}

/** Checks Redis once, before each process would fail for it by itself. */
async function checkRedis(config: Config): Promise<{ warnings: string[]; budgetNanoUsd: number }> {
  const redis = await connectRedis(config.REDIS_URL, { role: 'producer', name: 'fleet-up' });
  try {
    const db = createDb(redis, config.FLEET_SWARM ?? null);
    return await withRedisErrors(config.REDIS_URL, async () => {
      const { warnings } = await runPreflight(db);
      return { warnings, budgetNanoUsd: await seedBudget(db, config.FLEET_BUDGET_USD) };
    });
  } finally {
    redis.disconnect();
  }
}

async function startMissing(pm2: Pm2, config: Config, apps: App[]): Promise<void> {
  const listed = await pm2.list(toNamespace(config));
  for (const app of apps) {
    const mine = listed.filter((process) => process.name === app.name);
    const alive = mine.filter((process) => process.status === 'online' || process.status === 'launching');
    for (const dead of mine.filter((process) => !alive.includes(process))) await pm2.remove(dead);
    // Not awaited: pm2 answers when they are ready, and `waitUntilReady` notices earlier that one has failed.
    if (alive.length === 0) ignoreFailure(pm2.start(app));
    else if (alive.length < app.instances) ignoreFailure(pm2.scale(app.name, app.instances));
    else await Promise.all(alive.slice(app.instances).map((process) => pm2.remove(process)));
  }
}

/** `waitUntilReady` reads why a process failed from pm2's list and from the process' error output. */
function ignoreFailure(starting: Promise<void>): void {
  starting.catch(() => undefined);
}

function countReady(processes: Pm2Process[]): Record<string, number> {
  const ready: Record<string, number> = {};
  for (const { name, status } of processes) {
    if (status === 'online') ready[name] = (ready[name] ?? 0) + 1;
  }
  return ready;
}

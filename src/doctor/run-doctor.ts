import { loadConfig, type Config } from '../config/environment.ts';
import { configSecrets } from '../config/redact.ts';
import { ConfigError, toMessage } from '../errors.ts';
import { connectRedis } from '../redis/connect.ts';
import { createDb } from '../redis/db.ts';
import { toRedisError, withRedisErrors } from '../redis/errors/redis-errors.ts';
import { attempt, attemptAll, unwell, type CheckGroup, type CheckResult } from './check.ts';
import { checkClocks } from './clock-checks.ts';
import {
  checkBridge,
  checkHalt,
  checkSchedulers,
  checkShardKeys,
  checkTrees,
  checkOtherSwarms,
} from './fleet-checks.ts';
import {
  checkFolders,
  checkHome,
  checkModels,
  checkNode,
  checkSearch,
  checkVariables,
  checkWorkspaces,
} from './environment-checks.ts';
import { checkLive } from './live-checks.ts';
import { checkLogFiles, checkPort, checkProcesses, checkSavedList } from './process-checks.ts';
import { checkRedis } from './redis-checks.ts';
import { checkRoundTrip } from './round-trip.ts';

const AGAIN = 'mend what it says, then run it again';

/** Checks everything that the fleet needs, in the order in which a person would repair it. Changes nothing. */
export async function runDoctor(env: NodeJS.ProcessEnv, options: { live: boolean }): Promise<CheckGroup[]> {
  const config = readConfig(env);
  if (!('home' in config))
    return [
      { title: 'Machine', results: [checkNode()] },
      { title: 'Environment', results: config },
    ];
  const { redis, live } = await checkRedisWhole(config, options);
  return [
    {
      title: 'Machine',
      results: [
        checkNode(),
        ...(await checkFolders(config)),
        await attempt('search', AGAIN, checkSearch),
        ...(await attemptAll('pm2', 'look at PM2_HOME and its log; pm2 kill ends a daemon that hangs', () =>
          checkProcesses(config),
        )),
        ...(await attemptAll('pm2 save', AGAIN, async () => checkSavedList(config))),
        await attempt('logs', AGAIN, async () => checkLogFiles(config)),
        await attempt('dashboard port', AGAIN, () => checkPort(config)),
      ],
    },
    { title: 'Redis', results: redis },
    { title: 'Work', results: [...checkModels(config), ...(await checkWorkspaces(config))] },
    ...(live === null ? [] : [{ title: 'Live calls', results: live }]),
    { title: 'Environment', results: [...checkHome(config), ...checkVariables(config)] },
  ];
}

function readConfig(env: NodeJS.ProcessEnv): Config | CheckResult[] {
  try {
    return loadConfig(env);
  } catch (error) {
    const lines = toMessage(error)
      .split('\n')
      .filter((line) => line.startsWith('  '));
    if (!(error instanceof ConfigError) || lines.length === 0) return [unwell('environment', toMessage(error), AGAIN)];
    return lines.map((line) => {
      const [name = '', ...rule] = line.trim().split(': ');
      return unwell(name, rule.join(': '), 'correct it in the shell or in .env; .env.example shows one of each');
    });
  }
}

/** The checks of Redis, and those that need it; null: they were not wanted, or Redis is away. */
interface RedisResults {
  redis: CheckResult[];
  live: CheckResult[] | null;
}

async function checkRedisWhole(config: Config, { live }: { live: boolean }): Promise<RedisResults> {
  try {
    const redis = await connectRedis(config.REDIS_URL, {
      role: 'producer',
      name: 'fleet-doctor',
      secrets: configSecrets(config),
    });
    try {
      const db = createDb(redis, config.FLEET_SWARM ?? null);
      const results = await attemptAll('Redis', 'mend it as the line says', () =>
        withRedisErrors(config.REDIS_URL, () => checkRedis(db, config)),
      );
      results.push(await attempt('halt', 'fleet resume lifts it', () => checkHalt(db)));
      results.push(await attempt('schedulers', 'mend the lines above first', () => checkSchedulers(db)));
      results.push(await attempt('clocks', 'mend the lines above first', () => checkClocks(db)));
      results.push(...(await attemptAll('bridge', 'mend the lines above first', () => checkBridge(db, config))));
      results.push(await attempt('shard keys', 'mend the lines above first', () => checkShardKeys(db)));
      results.push(await attempt('task trees', 'mend the lines above first', () => checkTrees(db)));
      results.push(...(await checkOtherSwarms(db, config)));
      results.push(await attempt('queue', 'mend the lines above first', () => checkRoundTrip(config, db.keys)));
      return { redis: results, live: live ? await liveResults(() => checkLive(db, config)) : null };
    } finally {
      redis.disconnect();
    }
  } catch (error) {
    const isOwn = config.embedded !== null;
    const why = toRedisError(error, config.REDIS_URL, isOwn);
    const fix = isOwn
      ? "it is the fleet's own: fleet up"
      : 'mend it as the line says, or let the fleet run its own: fleet up --embedded';
    return { redis: [unwell('Redis', toMessage(why), fix)], live: null };
  }
}

async function liveResults(check: () => Promise<CheckResult[]>): Promise<CheckResult[]> {
  try {
    return await check();
  } catch (error) {
    return [unwell('live calls', toMessage(error), 'mend the lines on Redis and models first')];
  }
}

import { loadConfig, type Config } from '../config/environment.ts';
import { configSecrets } from '../config/redact.ts';
import { ConfigError, toMessage, RedisAwayError } from '../errors.ts';
import { connectRedis, redisAddress } from '../redis/connect.ts';
import { createDb } from '../redis/db.ts';
import { attempt, unwell, type CheckGroup, type CheckResult } from './check.ts';
import { checkHome, checkKey, checkNode, checkSearch, checkVariables, checkWorkspaces } from './environment-checks.ts';
import { checkLive } from './live-checks.ts';
import { checkPort, checkProcesses } from './process-checks.ts';
import { checkRedis } from './redis-checks.ts';
import { checkRoundTrip } from './round-trip.ts';
import { checkTrees } from './tree-checks.ts';

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
      results: [checkNode(), await checkSearch(), ...(await checkProcesses(config)), await checkPort(config)],
    },
    { title: 'Redis', results: redis },
    { title: 'Work', results: [checkKey(config), ...(await checkWorkspaces(config))] },
    ...(live === null ? [] : [{ title: 'Live calls', results: live }]),
    { title: 'Environment', results: [...checkHome(config), ...checkVariables(config)] },
  ];
}

function readConfig(env: NodeJS.ProcessEnv): Config | CheckResult[] {
  try {
    return loadConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.message.split('\n').filter((line) => line.startsWith('  '));
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
      const results = await checkRedis(db, config);
      results.push(await attempt('task trees', 'mend the lines above first', () => checkTrees(db)));
      results.push(await attempt('queue', 'mend the lines above first', () => checkRoundTrip(config, db.keys)));
      return { redis: results, live: live ? await liveResults(() => checkLive(db, config)) : null };
    } finally {
      redis.disconnect();
    }
  } catch (error) {
    const fix = config.embedded === null ? 'start it, or: fleet up --embedded' : "it is the fleet's own: fleet up";
    const why = error instanceof RedisAwayError ? 'not reachable' : toMessage(error);
    return { redis: [unwell('Redis', `${redisAddress(config.REDIS_URL)}: ${why}`, fix)], live: null };
  }
}

async function liveResults(check: () => Promise<CheckResult[]>): Promise<CheckResult[]> {
  try {
    return await check();
  } catch (error) {
    return [unwell('live calls', toMessage(error), 'mend the lines on Redis and models first')];
  }
}

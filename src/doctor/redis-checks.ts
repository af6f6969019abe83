import { isOffline, type Config } from '../config/environment.ts';
import { toMessage } from '../errors.ts';
import { redisAddress } from '../redis/connect.ts';
import type { Db } from '../redis/db.ts';
import { readRedisFacts, runPreflight, type RedisFacts } from '../redis/preflight.ts';
import { attempt, unwell, well, type CheckResult } from './check.ts';

/** With a larger difference, waits and leases of two machines go wrong. */
const SKEW_LIMIT_MS = 2_000;
/** Share of the memory limit at which the fleet halts. */
const MEMORY_LIMIT = 0.8;
const ROUNDS = 20;

/** All checks of a Redis that answers. */
export async function checkRedis(db: Db, config: Config): Promise<CheckResult[]> {
  const { redis } = db;
  const facts = await readRedisFacts(redis);
  return [
    await attempt('Redis', 'see the line above', async () => {
      await runPreflight(db);
      return well('Redis', `${facts.version} at ${redisAddress(config.REDIS_URL)}`);
    }).then((result) => (result.ok ? result : toPreflightFix(result, facts))),
    checkAppendOnly(facts),
    checkMemory(facts),
    checkClock(facts),
    await checkSpeed(db),
    await checkKind(db, config),
  ];
}

function toPreflightFix(result: CheckResult, facts: RedisFacts): CheckResult {
  const policy = facts.evictionPolicy !== null && facts.evictionPolicy !== 'noeviction';
  return {
    ...result,
    fix: policy ? 'redis-cli CONFIG SET maxmemory-policy noeviction' : 'use another Redis, or: fleet up --embedded',
  };
}

function checkAppendOnly({ appendOnly }: RedisFacts): CheckResult {
  if (appendOnly === null) return well('append-only file', 'Redis does not tell');
  if (appendOnly) return well('append-only file', 'on: a crash of Redis loses a second at most');
  return unwell('append-only file', 'off: a crash of Redis loses what it held', 'redis-cli CONFIG SET appendonly yes');
}

function checkMemory({ usedMemoryBytes, maxMemoryBytes }: RedisFacts): CheckResult {
  const used = `${toMegabytes(usedMemoryBytes)} used`;
  if (maxMemoryBytes === 0) return well('memory', `${used}, no limit`);
  const seen = `${used} of ${toMegabytes(maxMemoryBytes)}`;
  if (usedMemoryBytes < MEMORY_LIMIT * maxMemoryBytes) return well('memory', seen);
  return unwell('memory', `${seen}: the fleet halts at 80 %`, 'raise maxmemory of Redis');
}

function checkClock({ clockSkewMs }: RedisFacts): CheckResult {
  const seen = `${Math.abs(clockSkewMs)} ms ${clockSkewMs < 0 ? 'behind' : 'ahead of'} Redis`;
  if (Math.abs(clockSkewMs) <= SKEW_LIMIT_MS) return well('clock', seen);
  return unwell('clock', seen, 'set this machine’s clock, or Redis’ (timedatectl set-ntp true)');
}

async function checkSpeed({ redis, keys }: Db): Promise<CheckResult> {
  const ping = await measure(() => redis.ping());
  const set = await measure(() => redis.set(keys.preflight, '1', 'EX', 60));
  const get = await measure(() => redis.get(keys.preflight));
  return well('round trips', `PING ${ping} ms, SET ${set} ms, GET ${get} ms (medians of ${ROUNDS})`);
}

async function checkKind({ redis, keys }: Db, config: Config): Promise<CheckResult> {
  try {
    const kind = await redis.hget(keys.swarmMark, 'kind');
    const own = isOffline(config) ? 'simulated' : 'real';
    if (kind === null) return well(`swarm ${keys.swarm}`, `new; its first process makes it ${own} for life`);
    if (kind === own) return well(`swarm ${keys.swarm}`, kind);
    return unwell(
      `swarm ${keys.swarm}`,
      `holds ${kind} work, this configuration is ${own}`,
      'set FLEET_SWARM to another name',
    );
  } catch (error) {
    return unwell(
      `swarm ${keys.swarm}`,
      toMessage(error),
      'its private keys hold something else; choose another FLEET_SWARM',
    );
  }
}

async function measure(command: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    await command();
    times.push(performance.now() - start);
  }
  return (times.toSorted((a, b) => a - b)[ROUNDS / 2] ?? 0).toFixed(2);
}

function toMegabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}

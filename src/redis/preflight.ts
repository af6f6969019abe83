import type { Redis } from 'ioredis';
import { ConfigError, RedisUnusableError } from '../errors.ts';
import type { Db } from './db.ts';

/** Version of the stored data. It grows when an older build would harm newer data. */
export const DATA_LAYOUT = 1;

const OLDEST = [6, 2] as const;

/** A swarm's kind never changes: simulated findings must not mix with paid ones. */
export type SwarmKind = 'real' | 'simulated';

export interface RedisFacts {
  version: string;
  /** Such as `noeviction`; null where neither INFO nor CONFIG returns it. */
  evictionPolicy: string | null;
  appendOnly: boolean | null;
  usedMemoryBytes: number;
  /** 0: no limit. */
  maxMemoryBytes: number;
}

/** Reads what Redis reports about itself. Writes nothing. */
export async function readRedisFacts(redis: Redis): Promise<RedisFacts> {
  const info = await redis.info();
  const field = (name: string): string | null => new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? null;
  return {
    version: field('redis_version') ?? 'unknown',
    evictionPolicy: field('maxmemory_policy') ?? (await readConfig(redis, 'maxmemory-policy')),
    appendOnly: toFlag(field('aof_enabled') ?? (await readConfig(redis, 'appendonly'))),
    usedMemoryBytes: Number(field('used_memory') ?? 0),
    maxMemoryBytes: Number(field('maxmemory') ?? 0),
  };
}

/**
 * Checks whether the fleet can run on this Redis.
 * @returns a warning in one sentence for each setting that is dangerous
 * @throws RedisUnusableError when it is too old, evicts data, or holds data of a newer build; Redis' own error when it
 *   refuses a write
 */
export async function runPreflight(db: Db): Promise<{ facts: RedisFacts; warnings: string[] }> {
  const { redis } = db;
  const facts = await readRedisFacts(redis);
  if (isTooOld(facts.version)) {
    throw new RedisUnusableError(`Redis ${facts.version} is too old: the fleet needs ${OLDEST.join('.')} or newer`);
  }
  requireNoEviction(facts.evictionPolicy);
  await redis.set(db.keys.preflight, '1', 'EX', 60);
  await checkLayout(db);
  const warnings: string[] = [];
  if (facts.evictionPolicy === null) {
    warnings.push(
      'Redis does not tell its eviction policy: make sure that it is noeviction, or jobs and money records get lost',
    );
  }
  if (facts.appendOnly === null)
    warnings.push('Redis does not tell whether it keeps an append-only file: without one a crash loses data');
  if (facts.appendOnly === false) {
    warnings.push(
      'Redis keeps no append-only file: a crash of Redis loses what it held. Set it with: redis-cli CONFIG SET appendonly yes',
    );
  }
  return { facts, warnings };
}

/**
 * Creates a check before work is added. Redis is asked once.
 * @returns throws RedisUnusableError where Redis evicts data when it is full
 */
export function createEvictionCheck(redis: Redis): () => Promise<void> {
  let isKnown = false;
  return async () => {
    if (isKnown) return;
    const info = await redis.info('memory').catch(() => ''); // a user may lack the right: the workers then warn
    requireNoEviction(/^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? null);
    isKnown = true;
  };
}

/** @param policy null: Redis does not tell it */
function requireNoEviction(policy: string | null): void {
  if (policy === null || policy === 'noeviction') return;
  throw new RedisUnusableError(
    `Redis evicts data when it is full (maxmemory-policy ${policy}): the fleet would lose jobs and money records. Set it with: redis-cli CONFIG SET maxmemory-policy noeviction`,
  );
}

/**
 * Stores once whether a swarm's work is real or simulated. Later calls with the other kind fail.
 * @throws ConfigError when the swarm is of the other kind
 */
export async function markSwarm({ redis, keys }: Db, kind: SwarmKind): Promise<void> {
  const replies = await redis
    .multi()
    .hsetnx(keys.swarmMark, 'kind', kind)
    .hsetnx(keys.swarmMark, 'layout', DATA_LAYOUT)
    .hget(keys.swarmMark, 'kind')
    .exec();
  const found = replies?.[2]?.[1];
  if (found === kind) return;
  throw new ConfigError(
    `swarm ${keys.swarm} holds ${String(found)} work and this process would add ${kind} work: ${
      kind === 'simulated'
        ? 'leave out FLEET_OFFLINE, or name another swarm with FLEET_SWARM'
        : 'name another swarm with FLEET_SWARM for paid work'
    }`,
  );
}

async function checkLayout({ redis, keys }: Db): Promise<void> {
  const layout = Number((await redis.hget(keys.swarmMark, 'layout')) ?? DATA_LAYOUT);
  if (layout <= DATA_LAYOUT) return;
  throw new RedisUnusableError(
    `swarm ${keys.swarm} was written by a newer fleet (data layout ${layout}, this build knows ${DATA_LAYOUT}): update this one`,
  );
}

function isTooOld(version: string): boolean {
  const [major = Number.NaN, minor = 0] = version.split('.').map(Number);
  if (Number.isNaN(major)) return false; // a compatible server without a version: the other checks decide
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

/** Null where the server refuses CONFIG, as some hosted ones do. */
async function readConfig(redis: Redis, name: string): Promise<string | null> {
  try {
    const reply = await redis.config('GET', name);
    return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : null;
  } catch {
    return null;
  }
}

function toFlag(value: string | null): boolean | null {
  return value === null ? null : value === '1' || value === 'yes';
}

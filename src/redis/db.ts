import type { Redis } from 'ioredis';
import type { Redact } from '../config/redact.ts';
import { createKeys, type Keys } from './keys.ts';
import { RedactingRedis } from './redacting.ts';
import { defineScripts, type Scripts } from './scripts.ts';
import { waitWhileRefused } from './wait-while-refused.ts';

/** One swarm's data in one Redis: the connection, the names of the keys, and the scripts registered on the connection. */
export interface Db {
  redis: Redis;
  keys: Keys;
  scripts: Scripts;
  /** Removes secrets from what does not go through a command's text: what models read, what BullMQ packs, notices. */
  redact: Redact;
}

/**
 * Registers the scripts on the connection. Sends nothing.
 * @param swarm name of the swarm; null is the default one
 * @param options.waitsWhileRefused whether a script call is repeated while Redis refuses to store (full, failing over), instead
 *   of failing. Default false
 */
export function createDb(redis: Redis, swarm: string | null, options: { waitsWhileRefused?: boolean } = {}): Db {
  const scripts = defineScripts(redis);
  return {
    redis,
    keys: createKeys(swarm),
    redact: redis instanceof RedactingRedis ? redis.redact : (text) => text,
    scripts: (options.waitsWhileRefused ?? false) ? waitWhileRefused(scripts) : scripts,
  };
}

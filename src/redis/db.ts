import type { Redis } from 'ioredis';
import type { Actor } from '../../queues/owner.ts';
import type { Redact } from '../config/redact.ts';
import { clockOf, type RedisClock } from './clock.ts';
import { createKeys, type Keys } from './keys.ts';
import { FleetRedis } from './connection/fleet-redis.ts';
import { defineScripts, type Scripts } from './scripts.ts';

/** One swarm's data in one Redis: the connection, its clock, the names of the keys, and the scripts registered on the connection. */
export interface Db {
  redis: Redis;
  keys: Keys;
  scripts: Scripts;
  /** The time by which money, quotas, days, sessions, leases and delays of jobs go; never the host's. */
  clock: RedisClock;
  /** Removes secrets from what does not go through a command's text: what models read, what BullMQ packs, notices. */
  redact: Redact;
  /** Who decides what is changed through it. Absent: no person or client, but the fleet, as in its workers. */
  actor?: Actor;
}

/**
 * Registers the scripts on the connection. Sends nothing.
 * @param swarm name of the swarm; null is the default one
 */
export function createDb(redis: Redis, swarm: string | null): Db {
  return {
    redis,
    keys: createKeys(swarm),
    clock: clockOf(redis),
    redact: redis instanceof FleetRedis ? redis.redact : (text) => text,
    scripts: defineScripts(redis),
  };
}

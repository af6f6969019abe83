import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import { ConfigError } from '../errors.ts';
import type { Db } from '../redis/db.ts';
import type { ProcessKind } from './types.ts';
import { isAlive } from '../process/program/is-alive.ts';

/** The name of a process that died on another host is free after this long. */
const HOLD_SECONDS = 90;
const MAX_NUMBER = 999;

export interface WorkerName {
  id: string;
  /** Call it with every heartbeat, so that the name stays taken. */
  hold(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes the lowest free `<kind>_<host>_<NNN>` of this host. The number of a process that died on this host is free at
 * once, so that a worker that was killed and started again keeps its name in reports.
 * @param wanted `FLEET_WORKER_ID`: used unchanged, and not held
 */
export async function takeWorkerName(
  { redis, keys }: Db,
  wanted: string | undefined,
  kind: ProcessKind = 'haiku',
): Promise<WorkerName> {
  if (wanted !== undefined) return { id: wanted, hold: async () => undefined, release: async () => undefined };
  const host = hostname().replace(/[^A-Za-z0-9.-]/g, '-') || 'host';
  const owner = `${process.pid}`;
  for (let number = 1; number <= MAX_NUMBER; number += 1) {
    const digits = String(number).padStart(3, '0');
    const key = keys.workerName(kind === 'haiku' ? host : `${kind}:${host}`, digits);
    if (!(await take(redis, key, owner))) continue;
    return {
      id: `${kind}_${host}_${digits}`,
      hold: async () => void (await redis.set(key, owner, 'EX', HOLD_SECONDS)),
      release: async () => void (await redis.del(key)),
    };
  }
  throw new ConfigError(`worker id: all of ${kind}_${host}_001..${MAX_NUMBER} are taken; set FLEET_WORKER_ID`);
}

async function take(redis: Redis, key: string, owner: string): Promise<boolean> {
  if ((await redis.set(key, owner, 'EX', HOLD_SECONDS, 'NX')) !== null) return true;
  const holder = Number(await redis.get(key));
  if (!Number.isInteger(holder) || holder <= 0 || holder === process.pid || isAlive(holder)) return false;
  return (await redis.del(key)) === 1 && (await redis.set(key, owner, 'EX', HOLD_SECONDS, 'NX')) !== null;
}

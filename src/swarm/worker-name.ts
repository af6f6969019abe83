import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { ConfigError } from '../errors.ts';
import type { Db } from '../redis/db.ts';
import type { ProcessKind } from './types.ts';
import { isAlive } from '../process/program/is-alive.ts';
import { nameSystem, readStart } from '../process/program/read-start.ts';
import { claim } from '../redis/claim.ts';

/** The name of a process that died on another host, or in another container, is free after this long. */
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
  db: Db,
  wanted: string | undefined,
  kind: ProcessKind = 'haiku',
): Promise<WorkerName> {
  if (wanted !== undefined) return { id: wanted, hold: async () => undefined, release: async () => undefined };
  const host = hostname().replace(/[^A-Za-z0-9.-]/g, '-') || 'host';
  const { redis, keys, scripts } = db;
  const owner = `${nameProcess(process.pid)} ${randomUUID()}`;
  const free = (key: string, holder: string): Promise<number> => scripts['release-lease']({ lease: key }, [holder]);
  for (let number = 1; number <= MAX_NUMBER; number += 1) {
    const digits = String(number).padStart(3, '0');
    const key = keys.workerName(kind === 'haiku' ? host : `${kind}:${host}`, digits);
    if (!(await take(key))) continue;
    return {
      id: `${kind}_${host}_${digits}`,
      async hold() {
        if ((await redis.get(key)) === owner) await redis.expire(key, HOLD_SECONDS);
        else await takeFree(key);
      },
      release: async () => void (await free(key, owner)),
    };
  }
  throw new ConfigError(`worker id: all of ${kind}_${host}_001..${MAX_NUMBER} are taken; set FLEET_WORKER_ID`);

  async function take(key: string): Promise<boolean> {
    if (await takeFree(key)) return true;
    const holder = await redis.get(key);
    // Of several that see the same dead holder one frees the name.
    return holder !== null && hasDied(holder) && (await free(key, holder)) === 1 && takeFree(key);
  }

  function takeFree(key: string): Promise<boolean> {
    return claim(db, key, owner, HOLD_SECONDS);
  }
}

/** Names a process of this host for as long as Redis may keep it: its id, when it began, and on which system. */
function nameProcess(pid: number): string {
  return `${pid} ${readStart(pid)} ${nameSystem()}`;
}

/** Whether a name's holder ran on this very system, and does no more. Older versions wrote the id alone: any host's. */
function hasDied(holder: string): boolean {
  const [pid = '', start = '', system = ''] = holder.split(' ');
  if (system === '' || system !== nameSystem()) return false;
  return !(isAlive(Number(pid)) && readStart(Number(pid)) === start);
}

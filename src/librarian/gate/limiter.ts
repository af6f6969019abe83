import Bottleneck from 'bottleneck';
import type { Redis } from 'ioredis';
import { toMessage } from '../../errors.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import type { ShardProject } from './shard-project.ts';

/**
 * Gives the places of all projects' windows to all processes, in fair turns. A place is one of the calls that a window
 * takes.
 */
export interface Limiter {
  /**
   * Calls `use` once a place of the project is free. The place stays taken until the promise of `use` settles, and at
   * most a little longer than the project's `heldMs`: then Redis takes it back from a process that was killed.
   */
  schedule(project: ShardProject, use: () => Promise<void>): Promise<void>;
  /** Sets how many places the project has, for all processes. */
  setPlaces(project: ShardProject, count: number): Promise<void>;
  /** Closes the connections. Call it when no place is in use any more; requests without a place are dropped. */
  close(): void;
}

/** Redis takes a place back so long after `heldMs`, ms. */
const EXPIRES_LATE_MS = 250;

/** Opens two connections beside the process's own. */
export function openLimiter(options: {
  db: Db;
  projects: readonly ShardProject[];
  log: Pick<Logger, 'debug'>;
}): Limiter {
  const { projects, log } = options;
  const { redis, keys } = options.db;
  const client = redis.duplicate({ lazyConnect: false, maxRetriesPerRequest: null, connectionName: 'fleet-gate' });
  correctScripts(client);
  const connection = new Bottleneck.IORedisConnection({ client });
  // Only for a look into details: the limiter reconnects by itself.
  const report = (error: unknown): void => log.debug({ reason: toMessage(error) }, 'rate limiter');
  connection.on('error', report);
  const limiters = new Map(
    projects.map((project) => {
      const limiter = new Bottleneck({
        id: keys.gate(project.id),
        connection,
        maxConcurrent: Math.max(1, project.rpm),
        timeout: 20 * project.heldMs, // Redis drops the limiter's keys so long after the last place
      });
      limiter.on('error', report);
      return [project.id, limiter];
    }),
  );

  function limiterOf({ id }: ShardProject): Bottleneck {
    const limiter = limiters.get(id);
    if (limiter === undefined) throw new TypeError(`no such project: ${id}`);
    return limiter;
  }

  return {
    schedule: (project, use) => limiterOf(project).schedule({ expiration: project.heldMs + EXPIRES_LATE_MS }, use),
    async setPlaces(project, count) {
      // updateSettings returns a promise, which its type lacks.
      await Promise.resolve(limiterOf(project).updateSettings({ maxConcurrent: Math.max(1, count) }));
    },
    close() {
      void connection.disconnect(false);
    },
  };
}

/** The last argument of each of Bottleneck's calls. */
type Done = (error: unknown, replies?: unknown) => void;

/**
 * Corrects the scripts of Bottleneck 2.19.5 in three points, and their use in one. Redis 7 puts `ERR ` before an error made by
 * `redis.error_reply`, so the limiter does not recognise its own errors. The scripts take the time from their caller,
 * and the clocks of hosts differ. Their keys begin with `b_`; the fleet's keys begin with the hash tag. Each limiter sends a
 * heartbeat every five seconds without waiting for the last one: while Redis is full or away they would pile up.
 */
function correctScripts(client: Redis): void {
  const define = client.defineCommand.bind(client);
  const beating = new Set<unknown>();
  client.defineCommand = (name, definition) => {
    define(name, { ...definition, lua: correctScript(definition.lua) });
    const run = Reflect.get(client, name) as (keyCount: number, ...rest: unknown[]) => unknown;
    Reflect.set(client, name, (keyCount: number, ...rest: unknown[]) => {
      const given = rest.map((value, i) => (i < keyCount ? String(value).replace(/^b_/, '') : value));
      if (name !== 'heartbeat') return run.call(client, keyCount, ...given);
      const [limiter, done] = [given[0], given.at(-1) as Done];
      if (beating.has(limiter)) return done(null);
      beating.add(limiter);
      return run.call(client, keyCount, ...given.slice(0, -1), (error: unknown, replies: unknown) => {
        beating.delete(limiter);
        done(error, replies);
      });
    });
  };
}

const CALLERS_CLOCK = 'local now = tonumber(ARGV[1])';
const REDIS_CLOCK = `local time = redis.call('time')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)`;

function correctScript(lua: string): string {
  if (!lua.includes(CALLERS_CLOCK))
    throw new Error('expected the scripts of Bottleneck 2.19.5: others need other corrections');
  return lua.replace(CALLERS_CLOCK, REDIS_CLOCK).replace(/redis\.error_reply\(([^\n]*)\)/g, '{err=$1}');
}

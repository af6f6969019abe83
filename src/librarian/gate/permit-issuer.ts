import Bottleneck from 'bottleneck';
import type { Redis } from 'ioredis';
import { toMessage } from '../../errors.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import type { ShardProject } from './shard-project.ts';

/** Gives out places in the windows of all projects, to all processes in fair turns. */
export interface PermitIssuer {
  /**
   * Calls `use` when a place of the project is free. The place stays taken until the promise of `use` ends, in Redis at
   * most a little over the project's `heldMs`: a process that was killed holds it no longer than that.
   */
  ask(project: ShardProject, use: () => Promise<void>): Promise<void>;
  /** Places of the project, for all processes. */
  setPlaces(project: ShardProject, count: number): Promise<void>;
  /** Call when nothing uses a place any more. What was asked for and not given is forgotten. */
  close(): void;
}

/** After this long beyond `heldMs` a place counts as given back, whatever became of its holder. */
const EXPIRES_LATE_MS = 250;

/** @param redis a connection of this process; two more like it are opened */
export function openPermitIssuer(options: {
  db: Db;
  projects: readonly ShardProject[];
  log: Pick<Logger, 'debug'>;
}): PermitIssuer {
  const { projects, log } = options;
  const { redis, keys } = options.db;
  const client = redis.duplicate({ lazyConnect: false, maxRetriesPerRequest: null, connectionName: 'fleet-gate' });
  mendScripts(client);
  const connection = new Bottleneck.IORedisConnection({ client });
  const report = (error: unknown): void => log.debug({ reason: toMessage(error) }, 'rate limiter'); // it goes on by itself
  connection.on('error', report);
  const limiters = new Map(
    projects.map((project) => {
      const limiter = new Bottleneck({
        id: keys.gate(project.id),
        connection,
        maxConcurrent: Math.max(1, project.rpm),
        timeout: 20 * project.heldMs, // its keys are gone so long after the last permit
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
    ask: (project, use) => limiterOf(project).schedule({ expiration: project.heldMs + EXPIRES_LATE_MS }, use),
    async setPlaces(project, count) {
      // It is a promise, whatever its type says.
      await Promise.resolve(limiterOf(project).updateSettings({ maxConcurrent: Math.max(1, count) }));
    },
    close() {
      void connection.disconnect(false);
    },
  };
}

/**
 * Bottleneck 2.19.5 and Redis as it is today: Redis 7 puts `ERR ` before an error made by `redis.error_reply`, and the
 * limiter no longer knows its own; its scripts take the time from their caller, and hosts' clocks differ; its keys begin
 * with `b_`, ours with the hash tag alone.
 */
function mendScripts(client: Redis): void {
  const define = client.defineCommand.bind(client);
  client.defineCommand = (name, definition) => {
    define(name, { ...definition, lua: mendScript(definition.lua) });
    const run = Reflect.get(client, name) as (keyCount: number, ...rest: unknown[]) => unknown;
    Reflect.set(client, name, (keyCount: number, ...rest: unknown[]) =>
      run.call(
        client,
        keyCount,
        ...rest.map((value, at) => (at < keyCount ? String(value).replace(/^b_/, '') : value)),
      ),
    );
  };
}

const CALLERS_CLOCK = 'local now = tonumber(ARGV[1])';
const REDIS_CLOCK = `local time = redis.call('time')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)`;

function mendScript(lua: string): string {
  if (!lua.includes(CALLERS_CLOCK)) throw new Error('this Bottleneck is not the one its scripts are mended for');
  return lua.replace(CALLERS_CLOCK, REDIS_CLOCK).replace(/redis\.error_reply\(([^\n]*)\)/g, '{err=$1}');
}

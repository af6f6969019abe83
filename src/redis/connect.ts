import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { createStoreRedactor } from '../config/redact.ts';
import { RedisUnusableError, toMessage } from '../errors.ts';
import type { Logger } from '../process/logger.ts';
import { clockOf } from './clock.ts';
import { readRedisUrl, type RedisServers } from '../config/redis-servers.ts';
import { redisAddress, redisTlsFiles } from '../config/redis-url.ts';
import { createConnector } from './connection/connectors.ts';
import { isFull } from './connection/refusals.ts';
import { ReadOnlyRedis } from './connection/read-only-redis.ts';
import { FleetRedis, type ConnectionSettings } from './connection/fleet-redis.ts';
import { isWrongSetting, toRedisError } from './errors/redis-errors.ts';

/**
 * `worker`: a process that waits for its Redis. Commands wait without limit, and the process logs it once a minute.
 * `producer`: scripts, the command line, pages. Commands fail at once while Redis is away; the connection reconnects by itself.
 */
export type RedisRole = 'worker' | 'producer';

export interface ConnectOptions {
  role: RedisRole;
  /** Logs when Redis goes away and when it is back. */
  log?: Pick<Logger, 'warn' | 'info'>;
  /** Name in `CLIENT LIST`. */
  name?: string;
  /**
   * A producer gives up after this long. Default 900 ms, so that a command line fails within a second; 3 s with Sentinels or a cluster,
   * of which some may be away.
   */
  timeoutMs?: number;
  /** Values that are never stored; see `configSecrets`. Default: none. */
  secrets?: readonly string[];
  /** A key that holds nothing of value: with it the connection writes to a full Redis, too. For small writes of a person. */
  scratch?: string;
  /** True: the connection refuses every command that could change data. Default false. */
  readOnly?: boolean;
  /** Ends a worker's wait for its first connection. */
  signal?: AbortSignal;
}

const WARN_AGAIN_MS = 60_000;
/** A connection that is lost so soon after it was ready is no new event. */
const SOON_MS = 1_000;
/**
 * How long ioredis waits for a socket to close after a disconnect. It runs this timer also for a closed socket, and its
 * default of two seconds would delay the end of every script that found no Redis.
 */
const DISCONNECT_TIMEOUT_MS = 100;
/** A producer's patience with one server, and with Sentinels or a cluster, of which some may be away. */
const ANSWER_MS = 900;
const ANSWER_OF_SEVERAL_MS = 3_000;
/** A packet that was lost while the network was away is sent again after 1, 2, 4 … seconds: a new attempt is sooner. */
const CONNECT_MS = 5_000;
const FIRST_RETRY_MS = 10;
/** Redis estimates how long it loads its data; ioredis would look again only then. */
const LOOK_AGAIN_WHILE_LOADING_MS = 500;

/**
 * Opens a connection to the master and waits until it answers. Never set a `keyPrefix` on it: BullMQ refuses one, and scripts do not apply it.
 * @throws RedisUnusableError when a setting is wrong, so that waiting cannot help; for a producer also when Redis does not
 *   answer in time
 */
export async function connectRedis(url: string, options: ConnectOptions): Promise<Redis> {
  const servers = readRedisUrl(url);
  const timeoutMs = options.timeoutMs ?? (servers.kind === 'single' ? ANSWER_MS : ANSWER_OF_SEVERAL_MS);
  const settings: ConnectionSettings = {
    ...toOptions(servers, url),
    Connector: createConnector(servers),
    lazyConnect: true,
    connectionName: options.name ?? `fleet-${options.role}`,
    retryStrategy: toRetryMs,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    maxLoadingRetryTime: LOOK_AGAIN_WHILE_LOADING_MS,
    ...(options.role === 'worker'
      ? { maxRetriesPerRequest: null, connectTimeout: CONNECT_MS }
      : { maxRetriesPerRequest: 1, enableOfflineQueue: false, connectTimeout: Math.min(timeoutMs, ANSWER_MS) }),
  };
  const Connection = options.readOnly === true ? ReadOnlyRedis : FleetRedis;
  const redis = new Connection(servers.kind === 'single' ? url : null, settings, {
    redact: createStoreRedactor(options.secrets ?? []),
    silenceMs: servers.silenceMs,
    scratch: options.scratch ?? null,
  });
  reportOutages(redis, url, options.log);
  await (options.role === 'worker'
    ? waitWithoutLimit(redis, url, options.signal)
    : waitWithTimeout(redis, url, timeoutMs));
  return redis;
}

/**
 * After this long a lost connection is made anew: at once the first time, because most are lost alone, then later and later. A Redis
 * that is back is used within a second.
 * @param times how many attempts there were since the connection was last ready
 */
function toRetryMs(times: number): number {
  return times <= 1 ? FIRST_RETRY_MS : Math.min(50 * 2 ** Math.min(times, 10), 1_000);
}

/** What ioredis has to know of several servers, and the certificates; of a single server it reads the address itself. */
function toOptions(servers: RedisServers, url: string): ConnectionSettings {
  const tls = servers.tls ? { tls: toTls(url) } : {};
  if (servers.kind === 'single') return tls;
  const { db, username, password, masterName, sentinelUsername, sentinelPassword } = servers;
  return {
    ...tls,
    db,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(servers.kind === 'sentinel' ? { sentinels: servers.hosts, name: masterName } : {}),
    ...(servers.tls ? { sentinelTLS: toTls(url), enableTLSForSentinelMode: true } : {}),
    ...(sentinelUsername === null ? {} : { sentinelUsername }),
    ...(sentinelPassword === null ? {} : { sentinelPassword }),
  };
}

function reportOutages(redis: Redis, url: string, log: ConnectOptions['log']): void {
  let since: number | null = null;
  let warnedAt = 0;
  let readyAt = 0;
  let isTold = false;
  redis.on('error', (error) => {
    const now = Date.now();
    const isThere = isFull(error);
    // A connection that breaks again and again, soon after each new one, is told once a minute.
    const isNew = !isThere && since === null && now - readyAt > SOON_MS;
    if (!isThere) since ??= now;
    if (!isNew && now - warnedAt < WARN_AGAIN_MS) return;
    warnedAt = now;
    isTold = true;
    log?.warn(
      { redis: redisAddress(url), reason: toMessage(toRedisError(error, url)) },
      isThere ? 'Redis takes nothing more for now; waiting for it' : 'Redis is not reachable; waiting for it',
    );
  });
  redis.on('ready', () => {
    readyAt = Date.now();
    if (since !== null && isTold) log?.info({ redis: redisAddress(url), awayMs: readyAt - since }, 'Redis is back');
    since = null;
    isTold = false;
  });
}

/** The certificates that the URL names. @throws RedisUnusableError for a file that cannot be read */
function toTls(url: string): Record<string, Buffer> {
  const files = Object.entries(redisTlsFiles(url)).map(([name, path]): [string, Buffer] => {
    try {
      return [name, readFileSync(path)];
    } catch (error) {
      throw new RedisUnusableError(`REDIS_URL: its file ${name}=${path} cannot be read: ${toMessage(error)}`, {
        cause: error,
      });
    }
  });
  return Object.fromEntries(files);
}

async function waitWithoutLimit(redis: Redis, url: string, signal?: AbortSignal): Promise<void> {
  let refuse: (error: Error) => void = () => undefined;
  const ready = new Promise<void>((resolve, reject) => {
    redis.once('ready', resolve);
    refuse = (error) => isFinal(error) && reject(toRedisError(error, url));
    redis.on('error', refuse);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // The `error` listener logs a first attempt that fails; the retry strategy tries again.
  redis.connect().catch(() => undefined);
  try {
    await ready;
  } catch (error) {
    redis.disconnect();
    throw error;
  } finally {
    redis.off('error', refuse);
  }
}

async function waitWithTimeout(redis: Redis, url: string, timeoutMs: number): Promise<void> {
  let last: Error | undefined;
  const remember = (error: Error) => (last = error);
  redis.on('error', remember);
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(last ?? new Error(describeSilence(redis, timeoutMs))), timeoutMs);
    });
    await Promise.race([redis.connect(), late]);
    await Promise.race([clockOf(redis).sync(), late]); // Redis refuses a login only at the first command
    if (last !== undefined && isFinal(last)) throw last; // ioredis uses database 0 where the wanted one does not exist
  } catch (error) {
    redis.disconnect();
    const cause = last ?? error;
    const isClosed = /ECONNRESET|EPIPE|^Connection is closed/.test(toMessage(cause));
    throw toRedisError(isClosed ? new Error('each connection is closed', { cause }) : cause, url);
  } finally {
    clearTimeout(timer);
    redis.off('error', remember);
  }
}

/** Whether waiting cannot help: a setting is wrong, or the address leads to another kind of server. */
function isFinal(error: Error): boolean {
  return error instanceof RedisUnusableError || isWrongSetting(error);
}

/** What a server did not do in time. */
function describeSilence(redis: Redis, timeoutMs: number): string {
  if (redis.status === 'connecting') return `no connection in ${timeoutMs} ms`;
  const isLoading = 'serverInfo' in redis && /"loading":"1"/.test(JSON.stringify(redis.serverInfo));
  return isLoading ? 'LOADING its data' : `no answer in ${timeoutMs} ms`;
}

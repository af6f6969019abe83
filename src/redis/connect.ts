import type { Redis } from 'ioredis';
import { createStoreRedactor } from '../config/redact.ts';
import { RedisAwayError, RedisUnusableError, toMessage } from '../errors.ts';
import type { Logger } from '../process/logger.ts';
import { RedactingRedis } from './redacting.ts';

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
  /** A producer gives up after this long. Default 900 ms, so that a command line fails within a second. */
  timeoutMs?: number;
  /** Values that are never stored; see `configSecrets`. Default: none. */
  secrets?: readonly string[];
  /** Ends a worker's wait for its first connection. */
  signal?: AbortSignal;
}

const WARN_AGAIN_MS = 60_000;
/**
 * How long ioredis waits for a socket to close after a disconnect. It runs this timer also for a closed socket, and its
 * default of two seconds would delay the end of every script that found no Redis.
 */
const DISCONNECT_TIMEOUT_MS = 100;

/**
 * Opens a connection and waits until it answers. Never set a `keyPrefix` on it: BullMQ refuses one, and scripts do not apply it.
 * @throws RedisUnusableError (producer) when Redis does not answer in time or refuses the login
 */
export async function connectRedis(url: string, options: ConnectOptions): Promise<Redis> {
  const settings = {
    lazyConnect: true,
    connectionName: options.name ?? `fleet-${options.role}`,
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), 1_000), // a Redis that is back is used within a second
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    ...(options.role === 'worker'
      ? { maxRetriesPerRequest: null }
      : { maxRetriesPerRequest: 1, enableOfflineQueue: false, connectTimeout: options.timeoutMs ?? 900 }),
  };
  const redis = new RedactingRedis(url, settings, createStoreRedactor(options.secrets ?? []));
  reportOutages(redis, url, options.log);
  await (options.role === 'worker'
    ? waitWithoutLimit(redis, options.signal)
    : waitWithTimeout(redis, url, options.timeoutMs ?? 900));
  return redis;
}

/** `host:port` of a Redis URL: never its user or password. */
export function redisAddress(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port === '' ? '6379' : port}`;
}

/** The error for a Redis that is not reachable, with what a person can do. */
function unreachable(url: string, cause?: unknown, isOwn = false): RedisAwayError {
  const advice = isOwn
    ? "it is the fleet's own and comes up with: fleet up"
    : 'start it, set REDIS_URL, or let the fleet run its own: fleet up --embedded';
  return new RedisAwayError(`Redis is not reachable at ${redisAddress(url)}; ${advice}`, { cause });
}

/**
 * Maps ioredis' messages for a lost connection, and Redis' own for "full", to one error each. Returns any other error as it
 * is.
 * @param isOwn whether it is the fleet's own Redis, which another command starts
 */
export function toRedisError(thrown: unknown, url: string, isOwn = false): unknown {
  if (thrown instanceof RedisAwayError) return isOwn ? unreachable(url, thrown, isOwn) : thrown;
  const text = toMessage(thrown);
  if (/^OOM |OOM command not allowed/.test(text)) {
    const full = `Redis at ${redisAddress(url)} is full and takes nothing more; what is stored stays. Raise its maxmemory, or free memory, then do it again`;
    return new RedisUnusableError(full, { cause: thrown });
  }
  const gone =
    /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|Connection is closed|isn't writeable|max retries per request/i;
  return gone.test(text) ? unreachable(url, thrown, isOwn) : thrown;
}

/** Runs work that uses Redis, and maps its errors as `toRedisError` does. @throws RedisUnusableError, or what `work` throws */
export async function withRedisErrors<T>(redisUrl: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toRedisError(error, redisUrl);
  }
}

function reportOutages(redis: Redis, url: string, log: ConnectOptions['log']): void {
  let since: number | null = null;
  let warnedAt = 0;
  redis.on('error', (error) => {
    const now = Date.now();
    since ??= now;
    if (now - warnedAt < WARN_AGAIN_MS) return;
    warnedAt = now;
    log?.warn({ redis: redisAddress(url), reason: error.message }, 'Redis is not reachable; waiting for it');
  });
  redis.on('ready', () => {
    if (since !== null) log?.info({ redis: redisAddress(url), awayMs: Date.now() - since }, 'Redis is back');
    since = null;
    warnedAt = 0;
  });
}

async function waitWithoutLimit(redis: Redis, signal?: AbortSignal): Promise<void> {
  const ready = new Promise<void>((resolve, reject) => {
    redis.once('ready', resolve);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // The `error` listener logs a first attempt that fails; the retry strategy tries again.
  redis.connect().catch(() => undefined);
  try {
    await ready;
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

async function waitWithTimeout(redis: Redis, url: string, timeoutMs: number): Promise<void> {
  let last: Error | undefined;
  const remember = (error: Error) => (last = error);
  redis.on('error', remember);
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(last ?? new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    });
    await Promise.race([redis.connect(), late]);
    await Promise.race([redis.ping(), late]); // Redis refuses a login only at the first command
  } catch (error) {
    redis.disconnect();
    throw toLoginError(last ?? error, url) ?? unreachable(url, last ?? error);
  } finally {
    clearTimeout(timer);
    redis.off('error', remember);
  }
}

function toLoginError(thrown: unknown, url: string): RedisUnusableError | null {
  const text = toMessage(thrown);
  if (!/NOAUTH|WRONGPASS|NOPERM|invalid password/i.test(text)) return null;
  return new RedisUnusableError(`Redis at ${redisAddress(url)} refuses the login of REDIS_URL: ${text}`, {
    cause: thrown,
  });
}

import { Redis } from 'ioredis';
import { RedisAwayError, RedisUnusableError, toMessage } from '../errors.ts';
import type { Logger } from '../process/logger.ts';

/**
 * `worker`: a process that must outlive its Redis. Commands wait for as long as it takes; the log says so once a minute.
 * `producer`: scripts, the command line, pages. Commands fail at once while Redis is away; the connection comes back by itself.
 */
export type RedisRole = 'worker' | 'producer';

export interface ConnectOptions {
  role: RedisRole;
  /** Told when Redis goes away and when it is back. */
  log?: Pick<Logger, 'warn' | 'info'>;
  /** Shown by `CLIENT LIST`. */
  name?: string;
  /** A producer gives up after this long. Default 900 ms, so that a command line fails within a second. */
  timeoutMs?: number;
  /** A worker stops waiting for its first connection when this fires. */
  signal?: AbortSignal;
}

const SAY_AGAIN_MS = 60_000;
/**
 * How long a socket that was hung up on may take to close. ioredis runs this timer also for one that is closed already,
 * and its default of two seconds would keep every script that found no Redis from ending.
 */
const HANG_UP_MS = 100;

/**
 * Opens a connection and waits until it answers. Never set a `keyPrefix` on it: BullMQ refuses one, and scripts would miss it.
 * @throws RedisUnusableError (producer) when Redis does not answer in time or refuses the login
 */
export async function connectRedis(url: string, options: ConnectOptions): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectionName: options.name ?? `fleet-${options.role}`,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), 1_000), // a Redis that is back is used within a second
    disconnectTimeout: HANG_UP_MS,
    ...(options.role === 'worker'
      ? { maxRetriesPerRequest: null }
      : { maxRetriesPerRequest: 1, enableOfflineQueue: false, connectTimeout: options.timeoutMs ?? 900 }),
  });
  reportOutages(redis, url, options.log);
  await (options.role === 'worker'
    ? waitForEver(redis, options.signal)
    : waitBriefly(redis, url, options.timeoutMs ?? 900));
  return redis;
}

/** `host:port` of a Redis URL: never its user or password. */
export function redisAddress(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port === '' ? '6379' : port}`;
}

/** What a person reads when Redis is not there, on one line. */
function unreachable(url: string, cause?: unknown, isOwn = false): RedisAwayError {
  const advice = isOwn
    ? "it is the fleet's own and comes up with: fleet up"
    : 'start it, set REDIS_URL, or let the fleet run its own: fleet up --embedded';
  return new RedisAwayError(`Redis is not reachable at ${redisAddress(url)}; ${advice}`, { cause });
}

/**
 * Turns ioredis' many words for "the connection is gone", and Redis' own for "full", into one error each; anything else comes back as it was.
 * @param isOwn whether it is the embedded one, which a person starts otherwise
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

function reportOutages(redis: Redis, url: string, log: ConnectOptions['log']): void {
  let since: number | null = null;
  let saidAt = 0;
  redis.on('error', (error) => {
    const now = Date.now();
    since ??= now;
    if (now - saidAt < SAY_AGAIN_MS) return;
    saidAt = now;
    log?.warn({ redis: redisAddress(url), reason: error.message }, 'Redis is not reachable; waiting for it');
  });
  redis.on('ready', () => {
    if (since !== null) log?.info({ redis: redisAddress(url), awayMs: Date.now() - since }, 'Redis is back');
    since = null;
    saidAt = 0;
  });
}

async function waitForEver(redis: Redis, signal?: AbortSignal): Promise<void> {
  const ready = new Promise<void>((resolve, reject) => {
    redis.once('ready', resolve);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // A first attempt that fails is reported by the `error` listener; the retry strategy goes on.
  redis.connect().catch(() => undefined);
  try {
    await ready;
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

async function waitBriefly(redis: Redis, url: string, timeoutMs: number): Promise<void> {
  let last: Error | undefined;
  const remember = (error: Error) => (last = error);
  redis.on('error', remember);
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(last ?? new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    });
    await Promise.race([redis.connect(), late]);
    await Promise.race([redis.ping(), late]); // a refused login shows only at the first command
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

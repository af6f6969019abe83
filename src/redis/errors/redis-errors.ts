import { FleetError, RedisAwayError, RedisUnusableError, toMessage } from '../../errors.ts';
import { redisAddress } from '../../config/redis-url.ts';
import { findRedisFailure } from './failures.ts';

/**
 * Maps what Redis or its client threw to one error, whose message names the kind of failure and what a person can do. Returns
 * any other error as it is.
 * @param isOwn whether it is the fleet's own Redis, which another command starts
 */
export function toRedisError(thrown: unknown, url: string, isOwn = false): unknown {
  if (thrown instanceof FleetError && !(isOwn && thrown instanceof RedisAwayError)) return thrown; // it may quote a provider
  const text = toFullText(thrown);
  const failure = findRedisFailure(text);
  if (failure === null) return thrown;
  const address = redisAddress(url);
  if (failure.kind !== 'away') {
    return new RedisUnusableError(failure.say({ address, url, text: toMessage(thrown) }), { cause: thrown });
  }
  const message = isOwn
    ? `Redis is not reachable at ${address}; it is the fleet's own and comes up with: fleet up`
    : failure.say({ address, url, text: toMessage(thrown) });
  return new RedisAwayError(message, { cause: thrown });
}

/** Whether waiting cannot help: a person must correct a setting. */
export function isWrongSetting(thrown: unknown): boolean {
  return findRedisFailure(toFullText(thrown))?.kind === 'wrong';
}

/** Runs work that uses Redis, and maps its errors as `toRedisError` does. @throws RedisUnusableError, or what `work` throws */
export async function withRedisErrors<T>(redisUrl: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toRedisError(error, redisUrl);
  }
}

/** The message with the code of the system or of OpenSSL, which says more. A message alone would not tell time-outs apart. */
function toFullText(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? `${String(thrown.code)} ` : '';
  const cause = thrown instanceof RedisAwayError ? toFullText(thrown.cause) : '';
  return `${code}${toMessage(thrown)} ${cause}`;
}

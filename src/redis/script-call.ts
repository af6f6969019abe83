import type { Redis } from 'ioredis';

/** Registers a script on a connection. It travels by its hash; a Redis that lost it (restart, `SCRIPT FLUSH`) is sent the text again by ioredis. */
export function defineCommand(
  redis: Redis,
  name: string,
  lua: string,
): (keyCount: number, keysAndArgs: (string | number)[]) => Promise<unknown> {
  const command = `fleet:${name}`;
  redis.defineCommand(command, { lua });
  const run = Reflect.get(redis, command) as (...args: (string | number)[]) => Promise<unknown>;
  return (keyCount, keysAndArgs) => run.call(redis, keyCount, ...keysAndArgs);
}

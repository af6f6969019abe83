import type { Config } from '../../../src/config/environment.ts';
import { requireShards } from '../../../src/config/environment.ts';
import { runLibrarian, type RunningLibrarian } from '../../../src/librarian/run-librarian.ts';
import { createLogger } from '../../../src/process/logger.ts';
import type { createScriptedArchive } from '../models/scripted-archive.ts';
import type { TestRedis } from '../redis/use-redis.ts';

/** A librarian in this process, closed after the test. */
export async function startLibrarian(
  redis: TestRedis,
  config: Config,
  archive: ReturnType<typeof createScriptedArchive>,
  options: { fallback?: boolean } = {},
): Promise<RunningLibrarian> {
  const librarian = await runLibrarian({
    config,
    shards: requireShards(config),
    models: {
      forShard: (shard) => archive.model(shard.number),
      fallback: options.fallback === true ? archive.model('fallback') : null,
    },
    log: createLogger('test', config.FLEET_LOG_LEVEL),
  });
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => (closed ??= librarian.close());
  redis.cleanup(close);
  return { ...librarian, close };
}

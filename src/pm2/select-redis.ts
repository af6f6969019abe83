import { loadConfig, type Config } from '../config/environment.ts';
import { UsageError } from '../errors.ts';
import { findFreePort, isPortFree } from '../redis/server/embedded.ts';
import { ensureRedisServer } from '../redis/server/install.ts';
import { EMBEDDED_PORT, embeddedFolder, writeEmbeddedChoice } from '../config/embedded-choice.ts';

/**
 * Makes the fleet's own Redis the one of this swarm, for good; or, with `wanted` false, the one of `REDIS_URL` again.
 * @returns the configuration as every process of the fleet reads it from now on
 * @throws UsageError where REDIS_URL is set as well, RedisUnusableError where there is no redis-server
 */
export async function chooseRedis(config: Config, env: NodeJS.ProcessEnv, wanted: boolean): Promise<Config> {
  const swarm = config.FLEET_SWARM ?? null;
  if (!wanted) {
    writeEmbeddedChoice(config.dataFolder, swarm, null);
    return loadConfig(env);
  }
  await ensureRedisServer();
  if (config.embedded !== null) return config;
  const port = (await isPortFree(EMBEDDED_PORT)) ? EMBEDDED_PORT : await findFreePort();
  writeEmbeddedChoice(config.dataFolder, swarm, { port, folder: embeddedFolder(config.dataFolder, swarm) });
  const chosen = loadConfig(env);
  if (chosen.embedded !== null) return chosen;
  writeEmbeddedChoice(config.dataFolder, swarm, null);
  throw new UsageError(
    'REDIS_URL is set, so that the fleet would not use a Redis of its own: remove it or leave out --embedded',
  );
}

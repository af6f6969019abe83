import { type Config, isOffline } from '../config/environment.ts';
import { ConfigError } from '../errors.ts';
import type { Db } from '../redis/db.ts';

/**
 * Creates a check before something is added: whoever sets `FLEET_OFFLINE` expects simulated, or paid, work, and the swarm must be of
 * that kind. Where the variable is not set, both kinds are right. A swarm that has not begun is of neither.
 * @returns throws ConfigError; asks Redis until the kind is known, then no more
 */
export function createKindCheck({ redis, keys }: Db, config: Config): () => Promise<void> {
  let isKnown = config.origins['FLEET_OFFLINE'] === undefined;
  const wanted = isOffline(config) ? 'simulated' : 'real';
  return async () => {
    if (isKnown) return;
    const kind = await redis.hget(keys.swarmMark, 'kind');
    if (kind === null) return;
    if (kind !== wanted) throw toKindError(keys.swarm, kind);
    isKnown = true;
  };
}

function toKindError(swarm: string, kind: string): ConfigError {
  return new ConfigError(
    kind === 'real'
      ? `swarm ${swarm} does real work, which is paid, and FLEET_OFFLINE=1 asks for simulated work: nothing was done. Leave out FLEET_OFFLINE, or name a simulated swarm with FLEET_SWARM`
      : `swarm ${swarm} does simulated work, and FLEET_OFFLINE=0 asks for real work: nothing was done. Leave out FLEET_OFFLINE, or name a swarm of real work with FLEET_SWARM`,
  );
}

import { randomBytes } from 'node:crypto';
import { markSwarm, type SwarmKind } from '../../../src/redis/preflight.ts';
import { publishSharing } from '../../../src/other-swarms/sharing.ts';
import { createDb } from '../../../src/redis/db.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import type { TestRedis } from './use-redis.ts';

/** Another swarm, as the supports of fleets take it. */
export interface SecondSwarm extends TestRedis {
  /** Shares its findings with these swarms, and with no others. */
  share(...names: string[]): Promise<void>;
}

/**
 * Another swarm on a test's Redis, whose processes have run before.
 * @param name default: a new one; it is also the name of its variable `FLEET_PEER_…`
 */
export async function addSwarm(
  redis: TestRedis,
  { name = `o${randomBytes(5).toString('hex')}`, kind = 'simulated' }: { name?: string; kind?: SwarmKind } = {},
): Promise<SecondSwarm> {
  const db = createDb(redis.redis, name);
  await markSwarm(db, kind);
  const more = {
    swarm: { value: name },
    keys: { value: createKeys(name) },
    db: { value: db },
    connectDb: { value: async () => createDb(await redis.connect(), name) },
    share: { value: (...names: string[]) => publishSharing(db, names) },
  };
  return Object.create(redis, more) as SecondSwarm;
}

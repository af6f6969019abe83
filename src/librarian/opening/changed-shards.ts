import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import { pacificDay, type DayClock } from '../gate/pacific-day.ts';
import { toKeyDigest, toProjects, type KeyedShard, type ShardProject } from '../gate/shard-project.ts';

/**
 * Opens the shards that a person gave another key, or more calls a day, since a librarian last started: what the old key met
 * says nothing of the new one. Questions that wait for a shard are woken then. A librarian that comes back with a key that the shard
 * had before does not take the shard from a live librarian with the present key: it was started again with old settings.
 * @param options.held `<shard>:<digest>` of each key that another live librarian has
 */
export async function openChangedShards(
  db: Db,
  shards: readonly KeyedShard[],
  { log, dayAt = pacificDay, held = new Set() }: ShardOptions & { dayAt?: DayClock },
): Promise<void> {
  const day = dayAt(db.clock.now()).name;
  for (const project of toProjects(shards)) {
    await addCalls(db, project, day);
  }
  await takeKeys(db, shards, log, ({ number, digest }, { key, before }) => {
    return !(digest === before && held.has(`${number}:${key}`));
  });
}

/** Opens the shards whose present key no live librarian has: this librarian's key is theirs then. */
export async function takeAbandonedShards(
  db: Db,
  shards: readonly KeyedShard[],
  { log, held = new Set() }: ShardOptions,
): Promise<void> {
  await takeKeys(db, shards, log, ({ number }, { key }) => !held.has(`${number}:${key}`));
}

interface ShardOptions {
  log: Pick<Logger, 'info'>;
  held?: ReadonlySet<string>;
}

interface OwnKey {
  number: number;
  digest: string;
}

async function takeKeys(
  db: Db,
  shards: readonly KeyedShard[],
  log: Pick<Logger, 'info'>,
  mayTake: (own: OwnKey, known: { key: string; before: string | null }) => boolean,
): Promise<void> {
  for (const project of toProjects(shards)) {
    for (const { number } of project.shards) {
      const digest = toKeyDigest(shards.find((shard) => shard.number === number)?.apiKey ?? '');
      const [key = null, before = null] = await db.redis.hmget(db.keys.shardState(number), 'key', 'key_before');
      if (key === digest) continue;
      if (key !== null && !mayTake({ number, digest }, { key, before })) continue; // status and doctor name it
      await takeKey(db, project, { number, digest, before: key });
      if (key !== null) log.info({ shard: number }, 'shard: it has another key; it is open again');
    }
  }
}

/** @param own.before the key that the shard had; null: none */
async function takeKey(
  { redis, keys }: Db,
  project: ShardProject,
  { number, digest, before }: OwnKey & { before: string | null },
): Promise<void> {
  const state = keys.shardState(number);
  const chain = redis.multi().hset(state, 'key', digest);
  if (before !== null) {
    chain.hset(state, 'key_before', before);
    chain.hdel(state, 'failures', 'closed_until', 'closed_reason');
    chain.hdel(keys.shardProject(project.id), 'cool_until', 'cool_reason');
    chain.del(keys.shardQuota(number), keys.shardStatus(number)); // a missing key means a full day
  }
  await chain.exec();
}

/** Adds to what is left of the day what its limit has more than before. A missing key means a full day. */
async function addCalls({ keys, scripts }: Db, { id, rpd, shards }: ShardProject, day: string): Promise<void> {
  const named = {
    project: keys.shardProject(id),
    shards: shards.flatMap(({ number }) => [keys.shardQuota(number), keys.shardStatus(number)]),
  };
  await scripts['raise-calls'](named, [rpd, day]);
}

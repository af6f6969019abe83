import { hostname } from 'node:os';
import type { Logger } from '../../process/logger.ts';
import { repeat } from '../../process/repeat.ts';
import type { Db } from '../../redis/db.ts';
import { parseRecord } from '../../redis/stored-record.ts';
import type { DayClock } from '../gate/pacific-day.ts';
import { toKeyDigest, type KeyedShard } from '../gate/shard-project.ts';
import { openChangedShards, takeAbandonedShards } from './changed-shards.ts';
import type { ShardKeyConflict } from './types.ts';

const REFRESH_MS = 30_000;
/** A librarian whose last sign is older is gone. */
const GONE_AFTER_MS = 75_000;

/** One live librarian, with what identifies the key of each of its shards. */
interface KeyHolder {
  worker: string;
  host: string;
  /** By shard number. */
  keys: ReadonlyMap<number, string>;
}

/**
 * Keeps noted which keys this librarian has, and opens the shards that got another one. Of two librarians with different keys for
 * one shard the one that started last asks it: both would be counted as one quota.
 * @returns removes the note
 */
export async function keepShardKeys(parts: {
  db: Db;
  workerId: string;
  shards: readonly KeyedShard[];
  log: Pick<Logger, 'info' | 'warn'>;
  dayAt: DayClock;
}): Promise<() => Promise<void>> {
  const { db, workerId, shards, log, dayAt } = parts;
  const { redis, keys, clock } = db;
  const field = `${workerId}@${hostname()}:${process.pid}`;
  const digests = Object.fromEntries(shards.map(({ number, apiKey }) => [number, toKeyDigest(apiKey)]));
  const note = async (): Promise<Set<string>> => {
    const record = JSON.stringify({ at: clock.now(), worker: workerId, host: hostname(), keys: digests });
    await redis.multi().hset(keys.shardKeys, field, record).pexpire(keys.shardKeys, GONE_AFTER_MS).exec();
    const records = await redis.hgetall(keys.shardKeys);
    const gone = Object.keys(records).filter((name) => parseHolder(records[name], clock.now()) === null);
    if (gone.length > 0) await redis.hdel(keys.shardKeys, ...gone);
    const { [field]: _, ...others } = records;
    return toHeld(parseHolders(others, clock.now()));
  };
  await openChangedShards(db, shards, { log, dayAt, held: await note() }); // noted first: another librarian then leaves it the shard
  const stop = repeat({ everyMs: REFRESH_MS, what: 'noting the keys of the shards', log }, async () =>
    takeAbandonedShards(db, shards, { log, held: await note() }),
  );
  return async () => {
    void stop();
    await redis.hdel(keys.shardKeys, field);
  };
}

/** @param records what `keys.shardKeys` holds. @param nowMs by Redis' clock */
export async function readShardKeyConflicts(
  { redis, keys }: Db,
  records: Record<string, string>,
  nowMs: number,
): Promise<ShardKeyConflict[]> {
  const holders = parseHolders(records, nowMs);
  const numbers = [...new Set(holders.flatMap((holder) => [...holder.keys.keys()]))].sort((a, b) => a - b);
  const isSplit = (shard: number): boolean =>
    new Set(holders.flatMap((holder) => holder.keys.get(shard) ?? [])).size > 1;
  return Promise.all(
    numbers.filter(isSplit).map(async (shard) => {
      const current = await redis.hget(keys.shardState(shard), 'key');
      const having = holders.filter((holder) => holder.keys.has(shard));
      const select = (isCurrent: boolean): ShardKeyConflict['asking'] =>
        having
          .filter((holder) => (holder.keys.get(shard) === current) === isCurrent)
          .map(({ worker, host }) => ({ worker, host }));
      return { shard, asking: select(true), stale: select(false) };
    }),
  );
}

/** `shard 2: librarian_a_001 on a asks; librarian_b_001 on b has another key and does not`. */
export function describeKeyConflict({ shard, asking, stale }: ShardKeyConflict): string {
  const name = (holders: ShardKeyConflict['asking']): string =>
    holders.map(({ worker, host }) => `${worker} on ${host}`).join(', ');
  const asks = asking.length === 0 ? 'none asks it' : `${name(asking)} ${asking.length === 1 ? 'asks' : 'ask'} it`;
  return `shard ${shard}: ${asks}; with another key, and not asking: ${name(stale)}`;
}

function parseHolders(records: Record<string, string>, nowMs: number): KeyHolder[] {
  return Object.values(records).flatMap((text) => parseHolder(text, nowMs) ?? []);
}

/** Null: it is gone, or its record is damaged. */
function parseHolder(text: string | undefined, nowMs: number): KeyHolder | null {
  const { at, worker, host, keys } = (parseRecord(text ?? '') ?? {}) as Record<string, unknown>;
  if (typeof at !== 'number' || !(nowMs - at < GONE_AFTER_MS)) return null;
  if (typeof worker !== 'string' || typeof host !== 'string' || typeof keys !== 'object' || keys === null) return null;
  const digests = Object.entries(keys).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { worker, host, keys: new Map(digests.map(([number, digest]) => [Number(number), digest])) };
}

/** `<shard>:<digest>` of each key that they have. */
function toHeld(holders: readonly KeyHolder[]): Set<string> {
  return new Set(holders.flatMap((holder) => [...holder.keys].map(([number, digest]) => `${number}:${digest}`)));
}

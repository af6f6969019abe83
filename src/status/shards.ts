import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';
import type { ShardStatus } from './snapshot-shape.ts';

/** One configured Gemini key. */
export interface ConfiguredShard {
  /** From 1. */
  shard: number;
  hasKey: boolean;
  /** What a day begins with. */
  callsPerDay: number;
}

/** One command for all shards, none where none is configured. */
export async function readShards(
  redis: Redis,
  keys: Keys,
  configured: readonly ConfiguredShard[],
): Promise<ShardStatus[]> {
  if (configured.length === 0) return [];
  const replies = await redis.mget(
    configured.flatMap(({ shard }) => [keys.shardQuota(shard), keys.shardStatus(shard)]),
  );
  return configured.map(({ shard, hasKey, callsPerDay }, i) => {
    // A missing key means a full day's quota.
    const left = Number(replies[2 * i] ?? callsPerDay);
    return { shard, left, state: hasKey ? stateOf(replies[2 * i + 1] ?? 'active', left) : 'no-key' };
  });
}

function stateOf(status: string, left: number): ShardStatus['state'] {
  if (status === 'exhausted' || left <= 0) return 'exhausted';
  return status === 'active' ? 'ok' : 'failing';
}

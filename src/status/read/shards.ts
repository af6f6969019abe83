import type { ShardLimits } from '../../librarian/gate/shard-project.ts';
import { readShardStates, type ShardState } from '../../librarian/gate/shard-states.ts';
import type { Db } from '../../redis/db.ts';
import type { ShardStatus } from '../types.ts';

/** One round trip for all shards, nothing sent where none is configured. A number without a key between others is shown as such. */
export async function readShards(db: Db, configured: readonly ShardLimits[], nowMs: number): Promise<ShardStatus[]> {
  const states = await readShardStates(db, configured, { nowMs });
  const last = Math.max(0, ...states.map(({ shard }) => shard));
  return Array.from({ length: last }, (_, i): ShardStatus => {
    const found = states.find(({ shard }) => shard === i + 1);
    if (found === undefined) return { shard: i + 1, state: 'no-key', left: 0, perDay: 0, starts: 0, perWindow: 0 };
    const { shard, left, perDay, starts, perWindow } = found;
    return { shard, state: toState(found), left, perDay, starts, perWindow };
  });
}

/** A shard that cools down for a minute is well. */
function toState({ state }: ShardState): ShardStatus['state'] {
  switch (state) {
    case 'ok':
    case 'cooling':
      return 'ok';
    case 'exhausted':
      return 'exhausted';
    case 'failing':
    case 'refused':
      return 'failing';
  }
}

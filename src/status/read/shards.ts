import type { ShardLimits } from '../../librarian/gate/shard-project.ts';
import { readShardStates, type ShardState } from '../../librarian/gate/shard-states.ts';
import type { Db } from '../../redis/db.ts';
import type { ShardStatus } from '../types.ts';

/**
 * Reads the state of all shards in one round trip; sends nothing where none is configured. A gap in the numbers is reported
 * as `no-key`.
 */
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

/** A shard that cools down for a minute counts as `ok`. */
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

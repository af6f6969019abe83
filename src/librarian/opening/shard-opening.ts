import { archiveQueue } from '../../../queues/archive.ts';
import type { Opening } from '../../jobs/wake/openings.ts';
import { countReady } from '../../jobs/wake/openings.ts';
import type { Db } from '../../redis/db.ts';
import type { DayClock } from '../gate/pacific-day.ts';
import type { ShardLimits } from '../gate/shard-project.ts';
import { readShardStates } from '../gate/shard-states.ts';

/** Questions are woken as long as fewer than this are ready or asked: a shard takes a few calls a minute. */
const MOST_READY = 50;

/** How many delayed questions the shards can serve now: a new day, a shard that answers again, a raised limit. */
export function createShardOpening(parts: {
  db: Db;
  shards: readonly ShardLimits[];
  dayAt: DayClock;
}): Opening<{ kind: 'shards' }> {
  const { db, shards, dayAt } = parts;
  const { redis, keys } = db;
  return async () => {
    const states = await readShardStates(db, shards, { dayAt });
    const left = new Map<string, number>(); // of shards of one project the day is the same
    for (const { shard, project, closedForMs, left: calls } of states) {
      if (closedForMs === 0) left.set(project ?? `shard ${shard}`, calls);
    }
    const room = [...left.values()].reduce((sum, calls) => sum + calls, 0);
    const [ready, active] = await Promise.all([
      countReady(db, archiveQueue.name),
      redis.llen(keys.queueKey(archiveQueue.name, 'active')),
    ]);
    return Math.max(0, Math.min(MOST_READY, room) - ready - active);
  };
}

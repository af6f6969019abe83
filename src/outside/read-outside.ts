import { parseClaim } from '../jobs/leased/claim-record.ts';
import type { Db } from '../redis/db.ts';
import type { OutsideStatus } from './types.ts';

const MOST_SHOWN = 10;

/** Reads what is offered to outside workers, and what they hold: at most a dozen commands, whatever their number. */
export async function readOutside({ redis, keys }: Db): Promise<OutsideStatus> {
  const [offered, held, scored] = await Promise.all([
    redis.zcard(keys.offered),
    redis.zcard(keys.outsideLeases),
    redis.zrange(keys.outsideLeases, '0', String(MOST_SHOWN - 1), 'WITHSCORES'),
  ]);
  const leases = [];
  for (let i = 0; i < scored.length; i += 2) {
    const [taskId = '', endsAt = '0'] = scored.slice(i, i + 2);
    leases.push({ taskId, expiresAt: toInstant(Number(endsAt)) });
  }
  const records = await Promise.all(leases.map(({ taskId }) => redis.hget(keys.queueKey('tasks', taskId), 'outside')));
  return {
    offered,
    held,
    leases: leases.map((lease, i) => {
      const { by, claimed_at: claimedAt } = parseClaim(records[i] ?? null);
      return { ...lease, worker: by, claimedAt: toInstant(claimedAt) };
    }),
  };
}

/** Another program may have stored any number. */
function toInstant(ms: number): string {
  return new Date(Math.min(Math.max(0, ms), 8.64e15) || 0).toISOString();
}

import type { Db } from '../../redis/db.ts';
import { orIfDamaged } from '../../redis/errors/or-if-damaged.ts';
import { toStoredCount } from '../../redis/stored-record.ts';

/** One count of `lib/tally.lua`: its kind, the values of its labels, and the amount. */
export interface Tally {
  kind: string;
  labels: string[];
  amount: number;
}

/** Reads what the scripts have counted since the swarm began. Empty: nothing, or another program replaced the key. */
export async function readTallies({ redis, keys }: Db): Promise<Tally[]> {
  const fields = await orIfDamaged(redis.hgetall(keys.metrics), {});
  return Object.entries(fields).map(([field, amount]) => toTally(field, toStoredCount(amount)));
}

export function toTally(field: string, amount: number): Tally {
  const [kind = '', ...labels] = field.split('|');
  return { kind, labels: labels.map(toLabel), amount };
}

function toLabel(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // of another program
  }
}

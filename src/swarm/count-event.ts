import { randomUUID } from 'node:crypto';
import type { Db } from '../redis/db.ts';

/** Counts an event for the status, once, also where the client sends the command twice because its connection broke. */
export async function countEvent({ keys, scripts }: Db, counter: string, count = 1): Promise<void> {
  const call = randomUUID();
  await scripts['count-event']({ counters: keys.counters, once: keys.once(call) }, [counter, count, call]);
}

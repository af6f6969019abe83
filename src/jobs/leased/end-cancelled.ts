import { randomUUID } from 'node:crypto';
import { CancelledError } from '../../errors.ts';
import type { HeldParts } from './end-held.ts';
import { takeTask } from './take.ts';

const BY = 'fleet cancel';
/** A cancel that dies half-way leaves the task to the next look at lost leases. */
const END_MS = 10_000;

/**
 * Ends those of the tasks at once that outside workers hold, or may claim: no worker of the fleet would. Call it after the mark of the
 * cancellation is stored; a task that it leaves ends when it is claimed.
 * @returns the ids of those that have ended
 */
export async function endCancelledOutside(parts: HeldParts, ids: readonly string[]): Promise<Set<string>> {
  const { redis, keys } = parts.db;
  const ended = new Set<string>();
  if (ids.length === 0) return ended;
  const [held, offered] = await Promise.all([
    redis.zmscore(keys.outsideLeases, ...ids),
    redis.zmscore(keys.offered, ...ids),
  ]);
  for (const [i, id] of ids.entries()) {
    const isHeld = (held[i] ?? null) !== null;
    if (!isHeld && (offered[i] ?? null) === null) continue;
    const { failHeld } = await import('./end-held.ts'); // a process that cancels other tasks loads no BullMQ for it
    const token = isHeld ? await redis.get(keys.jobLock('tasks', id)) : await take(parts, id);
    const error = new CancelledError('cancelled by a person');
    if (token !== null && (await failHeld(parts, id, { token, by: BY, error }))) ended.add(id);
  }
  return ended;
}

async function take({ db }: HeldParts, id: string): Promise<string | null> {
  const token = `cancel_${randomUUID()}`;
  const taken = await takeTask(db, [id], { token, worker: BY, leaseMs: END_MS, always: true });
  return taken.kind === 'claimed' ? token : null;
}

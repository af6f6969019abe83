import { randomBytes } from 'node:crypto';
import type { Db } from '../../redis/db.ts';

/** A process that dies leaves the compaction to another one after this long. */
const TURN_MS = 15_000;
const RENEW_EVERY_MS = 5_000;

/** The right to condense: one process of the fleet has it at a time. */
export interface CompactionTurn {
  /** False once another process may have taken it: begin nothing more. */
  isMine(): Promise<boolean>;
  release(): Promise<void>;
}

/** @returns null where another process has it */
export async function takeCompactionTurn({ redis, keys }: Db): Promise<CompactionTurn | null> {
  const key = keys.turnOf('compaction');
  const owner = randomBytes(8).toString('hex');
  if ((await redis.set(key, owner, 'PX', TURN_MS, 'NX')) === null) return null;
  const isMine = async (): Promise<boolean> => (await redis.get(key)) === owner;
  // Two at once, should it run out just now, pay a call twice at worst: each summary is recorded once.
  const renew = async (): Promise<void> => void ((await isMine()) && (await redis.pexpire(key, TURN_MS)));
  const timer = setInterval(() => void renew().catch(() => undefined), RENEW_EVERY_MS); // Redis away: it runs out, and that is right
  return {
    isMine,
    async release() {
      clearInterval(timer);
      if (await isMine()) await redis.del(key);
    },
  };
}

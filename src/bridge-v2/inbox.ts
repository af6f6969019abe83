import { createHash } from 'node:crypto';
import type { Db } from '../redis/db.ts';

/** Entries taken in one look: the rest waits for the next one. */
const MOST = 1_000;

/**
 * Takes what old programs pushed into a public list. An entry moves into a private list first, and leaves it once it is handled: a
 * process that is killed meanwhile loses none, and the next one handles it again. One that cannot be handled does not keep up the others.
 * @param from the public list; one of another type counts as empty
 * @param handle may get the same entry twice
 * @returns how many were handled
 */
export async function emptyInbox(
  db: Db,
  { from, inbox }: { from: string; inbox: string },
  handle: (entry: string) => Promise<unknown>,
): Promise<number> {
  const { redis, scripts } = db;
  let handled = 0;
  while (handled < MOST) {
    const first = (await redis.lindexBuffer(inbox, 0)) ?? (await moveFirst(db, from, inbox));
    if (first === null) break;
    try {
      await handle(first.toString('utf8'));
    } catch (error) {
      await redis.lmove(inbox, inbox, 'LEFT', 'RIGHT'); // it is tried again, after the others
      throw error;
    }
    await scripts['drop-entry']({ list: inbox }, [createHash('sha1').update(first).digest('hex')]);
    handled += 1;
  }
  return handled;
}

/** What the process moved itself is read anew: another one may have handled and dropped it already. */
async function moveFirst({ redis }: Db, from: string, inbox: string): Promise<Buffer | null> {
  try {
    if ((await redis.lmove(from, inbox, 'LEFT', 'RIGHT')) === null) return null;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return null;
    throw error;
  }
  return redis.lindexBuffer(inbox, 0);
}

import { UsageError } from '../errors.ts';
import type { Db } from '../redis/db.ts';
import { addEntry, tellLost } from './note-change.ts';
import type { Change } from './types.ts';

/** Outcome of an entry whose change has no end yet: it goes on, or its process was killed. */
export const UNFINISHED = 'begun, and its end is not noted';

/**
 * Makes a change of several steps. The audit has an entry from before the first step on, so that a process that is killed in between
 * leaves it; `note` puts the whole entry in its place. A change that notes nothing has changed nothing, and leaves no entry.
 * @param begun what the change is of, as far as it is known
 * @param work calls `note` at most once, after the change is stored; call it also where an error has ended the change half way
 */
export async function withAudit<T>(
  db: Db,
  begun: Pick<Change, 'what' | 'about'>,
  work: (note: (change: Change) => Promise<void>) => Promise<T>,
): Promise<T> {
  const first = await addEntry(db, { ...begun, after: { outcome: UNFINISHED } }, null).catch(() => null); // the end is noted all the same
  let isOpen = first !== null;
  try {
    const done = await work(async (change) => {
      try {
        await addEntry(db, change, first);
      } catch (error) {
        tellLost(db, change.what, error);
      }
      isOpen = false; // where it could not be noted, the first entry stays
    });
    if (isOpen) await drop(db, first);
    return done;
  } catch (error) {
    if (isOpen && error instanceof UsageError) await drop(db, first); // refused; another error may have come half way
    throw error;
  }
}

async function drop({ redis, keys }: Db, id: string | null): Promise<void> {
  if (id !== null) await redis.xdel(keys.audit, id).catch(() => undefined); // a change that is made does not fail for the audit
}

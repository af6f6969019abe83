import type { Db } from '../redis/db.ts';
import { orIfDamaged } from '../redis/errors/or-if-damaged.ts';
import { parseEntry } from './entry-format.ts';
import type { RunEntry } from './types.ts';

/** Reads what the runs of a job noted, oldest first. Empty: nothing is recorded, or no more. Entries of newer versions are left out. */
export async function readRun({ redis, keys }: Db, jobId: string): Promise<RunEntry[]> {
  const texts = await orIfDamaged(redis.lrange(keys.run(jobId), 0, -1), []);
  return texts.flatMap((text) => parseEntry(text) ?? []);
}

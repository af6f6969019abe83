import { z } from 'zod';
import type { Db } from '../redis/db.ts';
import { parseRecord } from '../redis/stored-record.ts';

/** What became last of the tasks of one old id. `finish-task.lua` and `claim-old-task.lua` write it, too. */
const endSchema = z.object({
  /** The job of the text that ended so. */
  job: z.string().catch(''),
  /** The worker whose claim was left to expire. */
  by: z.string().catch(''),
  /** The value of `task:<id>:result` that belongs to that text. */
  result: z.string().catch(''),
});

export type OldEnd = z.output<typeof endSchema>;

/** A damaged or missing record has no fields. */
export function parseEnd(text: string | null | undefined): OldEnd {
  return endSchema.parse(parseRecord(text) ?? {});
}

/**
 * Whether a result belongs to this job's text. One that another text of the same id left there does not.
 * @param result the value of `task:<id>:result`
 */
export function isResultOf(jobId: string, result: string | null, end: OldEnd): result is string {
  if (result === null || result === '') return false;
  return end.job === jobId || end.result !== result;
}

/** Records what became of a task. */
export async function noteEnd({ redis, keys }: Db, id: string, end: OldEnd): Promise<void> {
  await redis.hset(keys.bridge('ends'), id, JSON.stringify(end));
}

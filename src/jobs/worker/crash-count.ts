import type { Job, Queue } from 'bullmq';
import type { Db } from '../../redis/db.ts';

/** A job whose worker died this often, and which came no further in between, may be what kills them: it runs alone. */
export const ALONE_AFTER = 2;
/** … and this often, the last time alone: it is set apart until a person retries it. */
export const QUARANTINE_AFTER = 3;

export interface CrashRecord {
  /** Deaths of its workers since it last got anywhere, or was last set apart. */
  crashes: number;
  /** The next death is not counted: the job only waits for its turn to run alone. */
  forgive(): Promise<void>;
  /** From here on deaths count again. */
  blame(): Promise<void>;
  /** Set apart: a retry by hand starts at none. */
  clear(): Promise<void>;
}

/**
 * What is known against a job. Whoever ran beside a job that kills its process dies with it, so a death counts only
 * while the job stores nothing new: an innocent one gets on between two deaths, a poisonous one comes back to the same line.
 */
export async function readCrashes(
  db: Db,
  job: Job,
  readProgress: ProgressReader = readStoredTurns,
): Promise<CrashRecord> {
  const { redis, keys } = db;
  const jobId = job.id ?? '';
  const stalls = job.stalledCounter;
  const progress = (await readProgress(db, jobId)).replaceAll(':', '.');
  const [base, known] = ((await redis.hget(keys.crashBase, jobId)) ?? '').split(':');
  const since = known === progress ? Number(base) : stalls - 1;
  const write = async (value: number): Promise<void> => {
    await redis.hset(keys.crashBase, jobId, `${value}:${progress}`);
  };
  await write(since);
  return {
    crashes: stalls - since,
    forgive: () => write(since + 1),
    blame: () => write(since),
    clear: () => write(stalls),
  };
}

/** Where a job stands, in a few words that change whenever it has got on. */
export type ProgressReader = (db: Db, jobId: string) => Promise<string>;

/** How many replies and tool results a job has stored. */
export const readStoredTurns: ProgressReader = async ({ redis, keys }, jobId) => {
  const fields = await redis.hkeys(keys.turns(jobId));
  return String(fields.filter((field) => /^[rt]:/.test(field)).length);
};

/** Leaves a line and a counter where a job of a dead or frozen worker goes on. */
export async function noteRecovery({ redis, keys }: Db, queue: Queue, jobId: string, by: string): Promise<void> {
  await redis.hincrby(keys.counters, 'recoveries', 1);
  const job = await queue.getJob(jobId);
  await job?.log(
    `${new Date().toISOString()} recovered: its worker died or froze; what it had stored is used again (${by})`,
  );
}

import type { Job, Queue } from 'bullmq';
import type { Db } from '../../redis/db.ts';

/** A job whose worker died this often without progress runs alone: it may be what kills its workers. */
export const ALONE_AFTER = 2;
/** A job whose worker died this often without progress, the last time alone, fails as `quarantined`. */
export const QUARANTINE_AFTER = 3;

export interface CrashCount {
  /** Deaths of its workers since it last stored progress, or was last quarantined. */
  crashes: number;
  /** The next death is not counted: the job only waits until it can run alone. */
  ignoreNext(): Promise<void>;
  /** From now on deaths count again. */
  countAgain(): Promise<void>;
  /** For a quarantined job: a retry by a person starts at none. */
  clear(): Promise<void>;
}

/**
 * Counts how often a job's worker died since the job last stored progress. Jobs that only shared the process store
 * progress between two deaths, so their count starts again; a job that kills its worker dies at the same line each time.
 */
export async function readCrashCount(
  db: Db,
  job: Job,
  readProgress: ProgressReader = readStoredTurns,
): Promise<CrashCount> {
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
    ignoreNext: () => write(since + 1),
    countAgain: () => write(since),
    clear: () => write(stalls),
  };
}

/** A job's progress as a short text that changes whenever the job has stored something. */
export type ProgressReader = (db: Db, jobId: string) => Promise<string>;

/** How many replies and tool results a job has stored. */
export const readStoredTurns: ProgressReader = async ({ redis, keys }, jobId) => {
  const fields = await redis.hkeys(keys.turns(jobId));
  return String(fields.filter((field) => /^[rt]:/.test(field)).length);
};

/** Writes a line into the job's log, and a counter, when a job of a dead or frozen worker goes back to waiting. */
export async function noteRecovery({ redis, keys }: Db, queue: Queue, jobId: string, by: string): Promise<void> {
  await redis.hincrby(keys.counters, 'recoveries', 1);
  const job = await queue.getJob(jobId);
  await job?.log(
    `${new Date().toISOString()} recovered: its worker died or froze; what it had stored is used again (${by})`,
  );
}

import type { QueueName } from '../../queues/registry.ts';
import { UsageError } from '../errors.ts';
import { parseFinding, readFindingTexts } from '../findings/stored.ts';
import type { Db } from '../redis/db.ts';
import { parseRecord } from '../redis/stored-record.ts';

/** A job that was to be added, and whose id exists. */
interface KnownJob {
  jobId: string;
  findingId: string;
  /** The memory shard that it was to belong to. */
  shard: string | undefined;
}

/** Jobs of one command: each may hold some hundred kilobytes. */
const PAGE = 50;

/**
 * Finds the jobs that exist in another memory shard than the one they were to be added to. Their caller must get neither
 * their state nor their finding.
 * @returns their ids
 */
export async function findForeign(db: Db, queue: QueueName, known: readonly KnownJob[]): Promise<Set<string>> {
  const { redis, keys } = db;
  const foreign = new Set<string>();
  for (let from = 0; from < known.length; from += PAGE) {
    const page = known.slice(from, from + PAGE);
    const chain = redis.pipeline();
    for (const { jobId } of page) chain.hget(keys.queueKey(queue, jobId), 'data');
    const jobs = ((await chain.exec()) ?? []).map(([error, data]) => {
      if (error) throw error;
      return data as string | null;
    });
    const texts = await readFindingTexts(
      db,
      page.map(({ findingId }) => findingId),
    );
    for (const [i, { jobId, findingId, shard }] of page.entries()) {
      const data = jobs[i] ?? null;
      const text = texts[i] ?? null;
      if (data !== null && toShard(parseRecord(data)) !== toShard({ shard })) foreign.add(jobId);
      const finding = text === null ? null : parseFinding(findingId, text);
      if (finding !== null && toShard(finding) !== toShard({ shard })) foreign.add(jobId);
    }
  }
  return foreign;
}

/** @throws UsageError where the job exists in another memory shard */
export async function assertOwnShard(db: Db, queue: QueueName, job: KnownJob): Promise<void> {
  if ((await findForeign(db, queue, [job])).has(job.jobId)) throw toForeignError(job.jobId);
}

export function toForeignError(jobId: string): UsageError {
  return new UsageError(`job ${jobId}: one of this id belongs to another memory shard; choose another id`);
}

function toShard(value: object | null): string | null {
  const shard: unknown = value !== null && 'shard' in value ? value.shard : null;
  return typeof shard === 'string' && shard !== '' ? shard : null;
}

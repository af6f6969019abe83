import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { archiveQueue } from '../../../queues/archive.ts';
import type { Logger } from '../../process/logger.ts';
import { toQueryIds } from './query-ids.ts';
import type { Db } from '../../redis/db.ts';

/** Keys looked at in one SCAN step. */
const SCAN_COUNT = 1_000;
/** Of a question that is too long only so much goes into the job: it fails there, and says why. */
const MAX_KEPT = 20_001;

export interface PublicQueryParts {
  db: Db;
  queue: Queue;
  currentSession(): Promise<string>;
  log: Logger;
}

/**
 * Puts a question of another program into the queue, once: one that is answered, or is there already, stays as it is.
 * What is no question becomes a job all the same, and fails as one, where a person sees it.
 * @returns whether it was put there
 */
export async function takePublicQuery(parts: PublicQueryParts, queryId: string): Promise<boolean> {
  const { queue } = parts;
  const { redis, keys } = parts.db;
  const ids = toQueryIds(queryId);
  const [text, answered] = await Promise.all([
    readText(redis, keys.query(queryId)),
    redis.exists(keys.response(queryId), keys.finding(ids.findingId)),
  ]);
  if (text === null || answered > 0) return false;
  if ((await redis.exists(keys.queueKey(queue.name, ids.jobId))) === 1) return false;
  const data = {
    ...toQuestion(text),
    session: await parts.currentSession(),
    query_id: ids.queryId,
    finding_id: ids.findingId,
    public: true,
  };
  await queue.add(archiveQueue.jobName, data, { jobId: ids.jobId });
  return true;
}

/** Finds the questions nobody heard: asked while no librarian ran, or while the connection was away. */
export async function sweepPublicQueries(parts: PublicQueryParts): Promise<number> {
  const { log } = parts;
  const { redis, keys } = parts.db;
  const prefix = keys.query('');
  let cursor = '0';
  let taken = 0;
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', SCAN_COUNT);
    cursor = next;
    for (const key of found) if (await takePublicQuery(parts, key.slice(prefix.length))) taken += 1;
  } while (cursor !== '0');
  if (taken > 0) log.info({ taken }, 'questions found that nobody had heard');
  return taken;
}

/** Another type than a string is no question. */
async function readText(redis: Redis, key: string): Promise<string | null> {
  return redis.get(key).catch((error: Error) => {
    if (!error.message.startsWith('WRONGTYPE')) throw error;
    return '';
  });
}

/** The session another program names is the asker's own, no filter; what a question costs is booked to the fleet's. */
function toQuestion(text: string): { question?: unknown; requester?: string; filter?: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof value !== 'object' || value === null) return {};
  const { question, requester, filter } = value as Record<string, unknown>;
  return {
    question: typeof question === 'string' ? question.slice(0, MAX_KEPT) : question,
    ...(typeof requester === 'string' ? { requester: requester.slice(0, 200) } : {}),
    ...(filter === undefined ? {} : { filter }),
  };
}

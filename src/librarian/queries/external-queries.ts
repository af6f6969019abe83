import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { archiveQueue } from '../../../queues/archive.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import { startUpkeep } from '../../swarm/upkeep.ts';
import { respondWithFailure } from '../../jobs/outcomes/failed-response.ts';
import { readJobs } from '../../jobs/state/states.ts';
import { toQueryIds } from './enqueue.ts';
import { isTooDeep } from '../../text/json-depth.ts';
import { startOf } from '../../text/start-of.ts';

/** Keys looked at in one SCAN step. */
const SCAN_COUNT = 1_000;
const SWEEP_EVERY_MS = 10 * 60_000;
/**
 * So much of a question goes into the job, UTF-16 code units: one more than the contract allows, so that the job fails
 * with that rule.
 */
const MAX_QUESTION = 20_001;

export interface ExternalQueriesParts {
  db: Db;
  queue: Queue;
  currentSession(): Promise<string>;
  log: Logger;
}

/**
 * Enqueues the queries of other programs from now on: a query that is announced at once, others by a sweep. Sweeps
 * after each outage of the connection, and every ten minutes in one process of the fleet.
 * @param subscriber a connection that only subscribes
 * @returns stops the sweeps
 */
export async function watchExternalQueries(
  parts: ExternalQueriesParts,
  subscriber: Redis,
): Promise<() => Promise<void>> {
  const { log } = parts;
  const { keys } = parts.db;
  const warn = (error: unknown): void => log.warn({ error }, 'a question was not taken; the next sweep finds it');
  subscriber.on('message', (channel, queryId: string) => {
    if (channel === keys.channelQueries) enqueueExternalQuery(parts, queryId).catch(warn);
  });
  subscriber.on('ready', () => void sweepExternalQueries(parts).catch(warn));
  await subscriber.subscribe(keys.channelQueries);
  return startUpkeep(
    { db: parts.db, name: 'questions', everyMs: SWEEP_EVERY_MS, what: 'looking for unheard questions', log },
    () => sweepExternalQueries(parts),
  );
}

/**
 * Enqueues a query of another program, unless it is answered or in the queue already. A text that is not a question
 * becomes a job too, and the job fails, so that a person sees it.
 * @returns whether it was added
 */
export async function enqueueExternalQuery(parts: ExternalQueriesParts, queryId: string): Promise<boolean> {
  const { queue } = parts;
  const { redis, keys } = parts.db;
  const ids = toQueryIds(queryId);
  const [text, answered] = await Promise.all([
    readText(redis, keys.query(queryId)),
    redis.exists(keys.response(queryId), keys.finding(ids.findingId)),
  ]);
  if (text === null || answered > 0) return false;
  const [known = null] = await readJobs(parts.db, queue.name, [ids.jobId]);
  if (known?.state === 'failed') await respondForJob(parts.db, ids.queryId, known.reason);
  if (known !== null && known.state !== 'unknown') return false;
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

/** Some jobs fail without a run, such as one that BullMQ gives up: nothing has told their requester yet. */
async function respondForJob(db: Db, queryId: string, failedReason: string): Promise<void> {
  const [, reason = 'other', text = failedReason] = /^([a-z][a-z0-9-]*): ?(.*)$/s.exec(failedReason) ?? [];
  await respondWithFailure(db, { queryId, reason, text, workerId: '' }, db.clock.date());
}

/** Enqueues the queries whose announcement no librarian received: none ran, or Redis was away. @returns how many */
export async function sweepExternalQueries(parts: ExternalQueriesParts): Promise<number> {
  const { log } = parts;
  const { redis, keys } = parts.db;
  const prefix = keys.query('');
  let cursor = '0';
  let taken = 0;
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', SCAN_COUNT);
    cursor = next;
    const ids = found.map((key) => key.slice(prefix.length));
    for (const id of await findNew(parts, ids)) if (await enqueueExternalQuery(parts, id)) taken += 1;
  } while (cursor !== '0');
  if (taken > 0) log.info({ taken }, 'questions found that nobody had heard');
  return taken;
}

/** Returns those of the queries that have neither an answer nor a job that will give one, in one round trip: most were answered long ago. */
async function findNew({ db, queue }: ExternalQueriesParts, queryIds: string[]): Promise<string[]> {
  if (queryIds.length === 0) return [];
  const { redis, keys } = db;
  const chain = redis.pipeline();
  for (const queryId of queryIds) {
    const { findingId, jobId } = toQueryIds(queryId);
    chain.exists(keys.response(queryId)).exists(keys.finding(findingId));
    chain.hmget(keys.queueKey(queue.name, jobId), 'timestamp', 'finishedOn');
  }
  const replies = (await chain.exec()) ?? [];
  return queryIds.filter((_, i) => {
    const [[responseError, response] = [], [, finding] = [], [jobError, job] = []] = replies.slice(3 * i, 3 * i + 3);
    if (responseError || jobError || response !== 0 || finding !== 0) return false;
    const [addedAt = null, endedAt = null] = job as (string | null)[];
    return addedAt === null || endedAt !== null;
  });
}

/** @returns null: no such key; empty: the key holds another type than a string */
async function readText(redis: Redis, key: string): Promise<string | null> {
  return redis.get(key).catch((error: Error) => {
    if (!error.message.startsWith('WRONGTYPE')) throw error;
    return '';
  });
}

/**
 * Reads only question, requester and filter; a text that is no JSON is the question. A session in the text is the other
 * program's; the fleet books to its own.
 */
function toQuestion(text: string): { question?: unknown; requester?: string; filter?: unknown } {
  if (isTooDeep(text)) return {}; // it could not be stored: the job fails for want of a question
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = text; // plain words
  }
  if (typeof value === 'string') return { question: startOf(value, MAX_QUESTION) };
  if (typeof value !== 'object' || value === null) return {};
  const { question, requester, filter } = value as Record<string, unknown>;
  return {
    question: typeof question === 'string' ? startOf(question, MAX_QUESTION) : question,
    ...(typeof requester === 'string' ? { requester: startOf(requester, 200) } : {}),
    ...(filter === undefined ? {} : { filter }),
  };
}

import { toLocalTimestamp } from '../../findings/timestamp.ts';
import type { Db } from '../../redis/db.ts';

/** How long the response of a failed question stays: as long as the failed job does. */
const KEEP_SECONDS = 30 * 24 * 3600;

export interface FailedQuestion {
  queryId: string;
  reason: string;
  text: string;
  workerId: string;
}

/** The id under which another program asked the question of this job; null: none did. */
export function toPublicQueryId(data: unknown): string | null {
  if (typeof data !== 'object' || data === null || Reflect.get(data, 'public') !== true) return null;
  const id: unknown = Reflect.get(data, 'query_id');
  return typeof id === 'string' ? id : null;
}

/**
 * Tells another program that its question has failed, so that it does not wait without end. An answer that is there stays; a
 * later answer, after a retry, replaces this.
 */
export async function respondWithFailure(
  { redis, keys, redact }: Db,
  { queryId, reason, text, workerId }: FailedQuestion,
  now: Date,
): Promise<void> {
  const response = {
    query_id: queryId,
    finding_id: null,
    answer: `NOT ANSWERED: ${text}`,
    error: { reason, text },
    sources: [],
    tokens_used: 0,
    context_size: 0,
    timestamp: toLocalTimestamp(now),
    worker_id: workerId,
  };
  const stored = await redis.set(keys.response(queryId), redact(JSON.stringify(response)), 'EX', KEEP_SECONDS, 'NX');
  if (stored !== null) await redis.publish(keys.channelResponses, queryId);
}

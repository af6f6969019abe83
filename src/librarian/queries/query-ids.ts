import { createHash } from 'node:crypto';
import { idSchema } from '../../../queues/tasks.ts';
import { QUERY_PREFIX } from '../../../queues/ids.ts';

/** The ids of one query: each query has one answer, whoever asks it again. */
export interface QueryIds {
  queryId: string;
  /** Key suffix of the answer. */
  findingId: string;
  /** BullMQ's: what another program chose as an id may not be one for it. */
  jobId: string;
}

export function toQueryIds(queryId: string): QueryIds {
  const findingId = `${QUERY_PREFIX}${queryId}`;
  const hash = createHash('sha256').update(queryId).digest('hex').slice(0, 24);
  return { queryId, findingId, jobId: idSchema.safeParse(findingId).success ? findingId : `${QUERY_PREFIX}-${hash}` };
}

import { createHash, randomBytes } from 'node:crypto';
import type { Queue } from 'bullmq';
import { archiveQueue, type ArchiveInput } from '../../../queues/archive.ts';
import { findQueryIdProblem, idSchema, QUERY_PREFIX } from '../../../queues/ids.ts';
import { UsageError } from '../../errors.ts';
import { checkInput } from '../../jobs/check-input.ts';
import { readJob } from '../../jobs/state/states.ts';
import type { JobState } from '../../jobs/state/types.ts';
import type { Db } from '../../redis/db.ts';

/** The ids of one query. A query has one answer, however often it is asked. */
export interface QueryIds {
  queryId: string;
  /** Key suffix of the answer. */
  findingId: string;
  /** BullMQ's id. It differs from the finding id where another program's query id cannot be a job id. */
  jobId: string;
}

export interface EnqueuedQuery extends QueryIds {
  /** False: a query of this id was in the queue already, and nothing was added. */
  added: boolean;
  state: JobState;
}

/**
 * Adds a query to the queue.
 * @param options.queryId the same id is asked once; default: a new random id
 * @throws UsageError for a question that breaks a rule
 */
export async function addQuery(
  { db, queue }: { db: Db; queue: Queue },
  input: ArchiveInput,
  options: { queryId?: string | undefined; session: string },
): Promise<EnqueuedQuery> {
  const data = checkInput('archive', 'query', input, 'question');
  const { queryId = randomBytes(6).toString('hex') } = options;
  const problem = findQueryIdProblem(queryId);
  if (problem !== null) throw new UsageError(`query id: ${problem}`);
  const ids = toQueryIds(queryId);
  const { state } = await readJob(db, queue.name, ids.jobId);
  if (state !== 'unknown') return { ...ids, added: false, state };
  const stamps = { session: options.session, query_id: ids.queryId, finding_id: ids.findingId };
  await queue.add(archiveQueue.jobName, { ...data, ...stamps }, { jobId: ids.jobId });
  return { ...ids, added: true, state: 'waiting' };
}

export function toQueryIds(queryId: string): QueryIds {
  const findingId = `${QUERY_PREFIX}${queryId}`;
  const hash = createHash('sha256').update(queryId).digest('hex').slice(0, 24);
  return { queryId, findingId, jobId: idSchema.safeParse(findingId).success ? findingId : `${QUERY_PREFIX}-${hash}` };
}

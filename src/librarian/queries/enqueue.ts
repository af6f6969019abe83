import { randomBytes } from 'node:crypto';
import type { JobState, Queue } from 'bullmq';
import { archiveInputSchema, archiveQueue, type ArchiveInput } from '../../../queues/archive.ts';
import { idSchema } from '../../../queues/tasks.ts';
import { UsageError } from '../../errors.ts';
import { toRules } from '../../jobs/contract.ts';
import { toQueryIds, type QueryIds } from './query-ids.ts';

/** What became of one question. */
export interface EnqueuedQuery extends QueryIds {
  /** False: a query of this id was there already; nothing was added. */
  added: boolean;
  state: JobState | 'unknown';
}

/**
 * Puts a question into the queue.
 * @param options.queryId the same id is asked once; default a fresh random one
 * @throws UsageError for a question that breaks a rule
 */
export async function addQuery(
  queue: Queue,
  input: ArchiveInput,
  options: { queryId?: string | undefined; session: string },
): Promise<EnqueuedQuery> {
  const parsed = archiveInputSchema.safeParse(input);
  if (!parsed.success) throw new UsageError(`question: ${toRules(parsed.error)}`);
  const { queryId = randomBytes(6).toString('hex') } = options;
  if (!idSchema.safeParse(queryId).success) {
    throw new UsageError(`query id: expected letters, digits, dot, underscore or dash, got ${JSON.stringify(queryId)}`);
  }
  const ids = toQueryIds(queryId);
  const existing = await queue.getJobState(ids.jobId);
  if (existing !== 'unknown') return { ...ids, added: false, state: existing };
  const stamps = { session: options.session, query_id: ids.queryId, finding_id: ids.findingId };
  await queue.add(archiveQueue.jobName, { ...parsed.data, ...stamps }, { jobId: ids.jobId });
  return { ...ids, added: true, state: 'waiting' };
}

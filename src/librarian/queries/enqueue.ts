import { createHash, randomBytes } from 'node:crypto';
import type { Queue } from 'bullmq';
import { archiveQueue, type ArchiveInput } from '../../../queues/archive.ts';
import { toOwner } from '../../../queues/owner.ts';
import { findQueryIdProblem, idSchema, QUERY_PREFIX } from '../../../queues/ids.ts';
import { assertContext } from '../../contexts/memory-contexts.ts';
import { UsageError } from '../../errors.ts';
import { checkInput } from '../../jobs/check-input.ts';
import { assertOwnShard } from '../../jobs/foreign-shard.ts';
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
 * @param options.client who pays; default: no client
 * @throws UsageError for a question that breaks a rule
 */
export async function addQuery(
  { db, queue }: { db: Db; queue: Queue },
  input: ArchiveInput,
  options: {
    queryId?: string | undefined;
    session: string;
    client?: string | undefined;
    /** See the contract. Null: all vendors may be asked. */
    vendors?: readonly string[] | null;
  },
): Promise<EnqueuedQuery> {
  const data = toShardOfContext(checkInput('archive', 'query', input, 'question'));
  assertNoShard(data);
  if (data.context !== undefined) await assertContext(db, data.context);
  const { queryId = randomBytes(6).toString('hex') } = options;
  const problem = findQueryIdProblem(queryId);
  if (problem !== null) throw new UsageError(`query id: ${problem}`);
  const ids = toQueryIds(queryId);
  await assertOwnShard(db, archiveQueue.name, { ...ids, shard: data.shard });
  const { state } = await readJob(db, queue.name, ids.jobId);
  if (state !== 'unknown') return { ...ids, added: false, state };
  const stamps = {
    session: options.session,
    ...toOwner({ client: options.client }),
    query_id: ids.queryId,
    finding_id: ids.findingId,
    ...((options.vendors ?? null) === null ? {} : { vendors: options.vendors }),
  };
  await queue.add(archiveQueue.jobName, { ...data, ...stamps }, { jobId: ids.jobId });
  return { ...ids, added: true, state: 'waiting' };
}

/** A document is asked with the findings of its own memory shard only. @throws UsageError for another one */
function toShardOfContext<Data extends { context?: string | undefined; shard?: string | undefined }>(data: Data): Data {
  const { context, shard = context } = data;
  if (context === undefined) return data;
  if (shard === context) return { ...data, shard };
  throw new UsageError(
    `context: ${context} is asked with the findings of memory shard ${context}, not with those of ${String(shard)}; leave out the shard`,
  );
}

/** Memory shards belong to one swarm: one of the same name elsewhere is another one. @throws UsageError */
function assertNoShard({ filter, shard }: Pick<ArchiveInput, 'filter' | 'shard'>): void {
  if (filter?.swarm === undefined || shard === undefined) return;
  throw new UsageError(
    `swarm: expected no memory shard and no context beside it, got ${shard}: these belong to this swarm; leave out one of the two`,
  );
}

export function toQueryIds(queryId: string): QueryIds {
  const findingId = `${QUERY_PREFIX}${queryId}`;
  const hash = createHash('sha256').update(queryId).digest('hex').slice(0, 24);
  return { queryId, findingId, jobId: idSchema.safeParse(findingId).success ? findingId : `${QUERY_PREFIX}-${hash}` };
}

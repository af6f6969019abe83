import type { Job, Queue } from 'bullmq';
import { tasksQueue, type TaskInput } from '../../../queues/tasks.ts';
import { noteRetryInBatch } from '../batch/lifecycle.ts';
import { toFieldChanges } from '../../audit/field-changes.ts';
import { NotFoundError, UsageError } from '../../errors.ts';
import type { KnownNames } from '../known-names.ts';
import { describeParked, parseMark, releaseJob, type ParkedMark } from '../../jobs/outcomes/parked.ts';
import type { Db } from '../../redis/db.ts';
import { Lease } from '../../redis/lease.ts';
import { offerTasks } from '../../jobs/offer.ts';
import { forgetCancelled } from '../../jobs/cancelled.ts';
import { describeMissing } from '../../jobs/describe-missing.ts';
import { readJob } from '../../jobs/state/states.ts';
import { editTask, stampsOf, toObject, withoutStamps } from './edited-task.ts';
import { splitFailedReason } from './failed.ts';
import type { RetriedJob } from './note-retries.ts';
import { readBudgetEdit, setOwnBudget, type BudgetEdit } from './own-budget.ts';
import type { TaskEdit } from './types.ts';

/** BullMQ's code for a job that is not in the state which it should leave. */
const NOT_FAILED = -3;

export interface RetryOptions {
  edit?: TaskEdit;
  /** Starts from the beginning: stored turns are not used again. Their cost stays booked. */
  fresh?: boolean;
  /** Checks everything and changes nothing. */
  dryRun?: boolean;
  /** Who does it, for the job's log. */
  by: string;
  known: KnownNames;
}

/**
 * Puts one failed job back to waiting; with an edit also a task that is parked for a budget, which is asked again. An edited task
 * is checked as a new one is, and both texts stay in the job's log. A retry after a provider's failure uses the stored turns again; after an edit or a failure of the task itself, or with
 * `fresh`, it starts from the beginning.
 * @returns what it did, for the audit, which the caller notes: one entry for all jobs of a command
 * @throws UsageError for a job that is not failed or that another process retries, or an edit that breaks a rule; the job stays
 * unchanged
 */
export async function retryJob(
  parts: { db: Db; queue: Queue },
  jobId: string,
  options: RetryOptions,
): Promise<RetriedJob> {
  const lease = new Lease(parts.db, parts.db.keys.lease(`retry:${jobId}`));
  if (!(await lease.take())) throw new UsageError(`job ${jobId}: another process retries it; look again: fleet failed`);
  try {
    return await retryOwn(parts, jobId, options);
  } finally {
    await lease.release();
  }
}

/** While no other process of the fleet retries the job. */
async function retryOwn(parts: { db: Db; queue: Queue }, jobId: string, options: RetryOptions): Promise<RetriedJob> {
  const { db, queue } = parts;
  const { redis, keys, clock } = db;
  const { job, parked } = await findRetriable(parts, jobId, options.edit !== undefined);
  const isTask = queue.name === tasksQueue.name;
  if (!isTask && options.edit !== undefined) {
    throw new UsageError(`job ${jobId}: only tasks can be edited; ask anew instead`);
  }
  const { edit } = options;
  const edited = edit === undefined ? null : await editTask(job.data, edit, options.known);
  if (edited?.finding_id !== undefined) await assertFindingFree(db, queue, edited.finding_id, jobId);
  const budget = edited === null ? null : await readBudgetEdit(db, jobId, { data: job.data, edited, edit: edit ?? {} });
  const before = { ...withoutStamps(job.data), ...toLimitField(budget) };
  const changes = edited === null ? null : toFieldChanges(before, edited);
  const retried: RetriedJob = { id: jobId, ...toBefore(job, parked), changes };
  if (options.dryRun === true) return retried;
  const retriedAt = clock.date().toISOString();
  if (edited === null) await job.log(`${retriedAt} retried by ${options.by}`);
  else await saveEdit(db, job, { before, edited, budget }, `${retriedAt} edited and retried by ${options.by}`);
  if (edited?.finding_id !== undefined) await redis.hset(keys.reservedFindings, edited.finding_id, jobId);
  if (parked !== null) {
    if (await releaseJob(db, job, parked)) return retried;
    throw new UsageError(
      `job ${jobId}: it went on meanwhile, perhaps without the edit; look again: fleet job ${jobId}`,
    );
  }
  if ((options.fresh ?? false) && (await redis.exists(keys.turns(jobId))) === 1) {
    await redis.hset(keys.turns(jobId), 'cause', 'task', 'cause_attempt', -1); // as after a failure of the task: begin-turn drops the turns
  }
  await redis.zrem(keys.cancelled, jobId);
  await forgetCancelled(db, queue.name, jobId);
  const batch = isTask ? toBatch(job.data) : null;
  if (batch !== null) await noteRetryInBatch(db, batch, jobId);
  if (isTask) await offerTasks(db, [{ id: jobId, data: job.data }]);
  try {
    await job.retry('failed');
  } catch (error) {
    const { state } = await readJob(db, queue.name, jobId);
    // Put back already, by this command: its answer was lost, and the client sent it twice. Or by another program, to the same end.
    if (state !== 'failed' && Reflect.get(Object(error), 'code') === NOT_FAILED) return retried;
    if (batch !== null && state === 'failed') await redis.sadd(keys.batchFailed(batch), jobId);
    throw error;
  }
  return retried;
}

function toBefore({ failedReason }: Job, parked: ParkedMark | null): Pick<RetriedJob, 'state' | 'reason'> {
  if (parked !== null) return { state: 'parked', reason: 'budget' };
  return { state: 'failed', reason: splitFailedReason(failedReason).reason };
}

/** @returns `parked`: its mark, of a task that a budget has parked and that is edited; null: it has failed */
async function findRetriable(
  { db, queue }: { db: Db; queue: Queue },
  id: string,
  isEdited: boolean,
): Promise<{ job: Job; parked: ParkedMark | null }> {
  const { redis, keys } = db;
  const job = await queue.getJob(id);
  if (job === undefined) throw new NotFoundError(describeMissing(queue.name, id));
  const { state } = await readJob(db, queue.name, id);
  if (state === 'failed') return { job, parked: null };
  const text = await redis.hget(keys.parked, id);
  if (text === null) throw new UsageError(`job ${id}: is ${state}; only failed jobs can be retried`);
  const { scope, name } = parseMark(text);
  const isForBudget = scope !== undefined && scope !== 'parked-mission' && typeof name === 'string';
  if (isEdited && isForBudget && queue.name === tasksQueue.name)
    return { job, parked: { scope: scope as ParkedMark['scope'], name, queue: queue.name } };
  throw new UsageError(`job ${id}: parked for its ${describeParked(parseMark(text))}`);
}

/** The limit in force, which a person may have set since the task was added. */
function toLimitField(budget: BudgetEdit | null): { budget_usd?: number } {
  return budget === null || budget.beforeUsd === null ? {} : { budget_usd: budget.beforeUsd };
}

async function saveEdit(
  db: Db,
  job: Job,
  { before, edited, budget }: { before: object; edited: TaskInput; budget: BudgetEdit | null },
  headline: string,
): Promise<void> {
  await job.log(`${headline}\n  before: ${JSON.stringify(before)}\n  after:  ${JSON.stringify(edited)}`);
  if (budget !== null) await setOwnBudget(db, job.id ?? '', budget);
  await job.updateData({ ...edited, ...stampsOf(job.data), edited: true }); // `edited`: a batch file's line may differ from its job
}

async function assertFindingFree(db: Db, queue: Queue, id: string, jobId: string): Promise<void> {
  const { redis, keys } = db;
  const owner = await redis.hget(keys.reservedFindings, id);
  const claimed = owner !== null && owner !== jobId && (await readJob(db, queue.name, owner)).state !== 'unknown';
  if (!claimed && (await redis.exists(keys.finding(id))) === 0) return;
  throw new UsageError(`finding_id: ${JSON.stringify(id)} is taken; choose another or leave it out`);
}

function toBatch(data: unknown): string | null {
  const { batch } = toObject(data);
  return typeof batch === 'string' ? batch : null;
}

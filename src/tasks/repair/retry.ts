import type { Job, Queue } from 'bullmq';
import { taskInputSchema, tasksQueue, type TaskInput } from '../../../queues/tasks.ts';
import { noteRetryInBatch } from '../batch/lifecycle.ts';
import { NotFoundError, UsageError } from '../../errors.ts';
import { readVendorStamp } from '../../routing/allowed-vendors.ts';
import { checkTask } from '../check.ts';
import { toExactData } from '../exact-data.ts';
import type { KnownNames } from '../known-names.ts';
import { describeParked, parseMark } from '../../jobs/outcomes/parked.ts';
import type { Db } from '../../redis/db.ts';
import { Lease } from '../../redis/lease.ts';
import { offerTasks } from '../../jobs/offer.ts';
import { forgetCancelled } from '../../jobs/cancelled.ts';
import { describeMissing } from '../../jobs/describe-missing.ts';
import { readJob } from '../../jobs/state/states.ts';
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
 * Puts one failed job back to waiting. An edited task is checked as a new one is, and both texts stay in the job's log. A
 * retry after a provider's failure uses the stored turns again; after an edit or a failure of the task itself, or with
 * `fresh`, it starts from the beginning.
 * @throws UsageError for a job that is not failed or that another process retries, or an edit that breaks a rule; the job stays
 * unchanged
 */
export async function retryJob(parts: { db: Db; queue: Queue }, jobId: string, options: RetryOptions): Promise<void> {
  const lease = new Lease(parts.db, parts.db.keys.lease(`retry:${jobId}`));
  if (!(await lease.take())) throw new UsageError(`job ${jobId}: another process retries it; look again: fleet failed`);
  try {
    await retryOwn(parts, jobId, options);
  } finally {
    await lease.release();
  }
}

/** While no other process of the fleet retries the job. */
async function retryOwn(parts: { db: Db; queue: Queue }, jobId: string, options: RetryOptions): Promise<void> {
  const { db, queue } = parts;
  const { redis, keys, clock } = db;
  const job = await findFailed(parts, jobId);
  const isTask = queue.name === tasksQueue.name;
  if (!isTask && options.edit !== undefined) {
    throw new UsageError(`job ${jobId}: only tasks can be edited; ask anew instead`);
  }
  const edited = options.edit === undefined ? null : await applyEdit(job, options.edit, options.known);
  if (edited?.finding_id !== undefined) await assertFindingFree(db, queue, edited.finding_id, jobId);
  if (options.dryRun === true) return;
  const retriedAt = clock.date().toISOString();
  if (edited === null) await job.log(`${retriedAt} retried by ${options.by}`);
  else await saveEdit(job, edited, `${retriedAt} edited and retried by ${options.by}`);
  if (edited?.finding_id !== undefined) await redis.hset(keys.reservedFindings, edited.finding_id, jobId);
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
    if (state !== 'failed' && Reflect.get(Object(error), 'code') === NOT_FAILED) return;
    if (batch !== null && state === 'failed') await redis.sadd(keys.batchFailed(batch), jobId);
    throw error;
  }
}

async function findFailed({ db, queue }: { db: Db; queue: Queue }, id: string): Promise<Job> {
  const { redis, keys } = db;
  const job = await queue.getJob(id);
  if (job === undefined) throw new NotFoundError(describeMissing(queue.name, id));
  const { state } = await readJob(db, queue.name, id);
  if (state === 'failed') return job;
  const mark = await redis.hget(keys.parked, id);
  throw new UsageError(
    mark !== null
      ? `job ${id}: parked for its ${describeParked(parseMark(mark))}`
      : `job ${id}: is ${state}; only failed jobs can be retried`,
  );
}

/** @throws UsageError naming the rule that the edited task breaks */
function applyEdit(job: Job, edit: TaskEdit, known: KnownNames): Promise<TaskInput> {
  const vendors = readVendorStamp(job.data);
  if (edit.data !== undefined) return checkTask(edit.data, known, vendors);
  const asked = withExactData(job.data);
  const description = typeof asked['description'] === 'string' ? asked['description'] : '';
  return checkTask(
    {
      ...asked,
      ...(edit.append === undefined ? {} : { description: `${description}\n\n${edit.append}` }),
      ...(edit.model === undefined ? {} : { model: edit.model }),
      ...(edit.maxTurns === undefined ? {} : { max_turns: edit.maxTurns }),
      ...(edit.effort === undefined ? {} : { effort: edit.effort }),
    },
    known,
    vendors,
  );
}

/** What the fleet has added to a task; an edit keeps it. */
const STAMPS = new Set([
  'session',
  'client',
  'shard',
  'batch',
  'mission_id',
  'builds_on',
  'line',
  'origin',
  'bridge',
  'vendors',
]);

async function saveEdit(job: Job, edited: TaskInput, headline: string): Promise<void> {
  const before: unknown = job.data;
  const stamps = Object.fromEntries(Object.entries(toObject(before)).filter(([name]) => STAMPS.has(name)));
  await job.log(`${headline}\n  before: ${JSON.stringify(withoutStamps(before))}\n  after:  ${JSON.stringify(edited)}`);
  await job.updateData({ ...edited, ...stamps, edited: true }); // `edited`: a batch file's line may differ from its job
}

/** What the caller asked for: without stamps, and without keys that this version does not know. */
function withoutStamps(data: unknown): Record<string, unknown> {
  const known = new Set(Object.keys(taskInputSchema.shape));
  return Object.fromEntries(Object.entries(toObject(data)).filter(([name]) => known.has(name)));
}

/** What the caller asked for, with exact numbers in its data. */
function withExactData(data: unknown): Record<string, unknown> {
  const asked = withoutStamps(data);
  const { data_text: text } = toObject(data);
  if (typeof text !== 'string') return asked;
  return { ...asked, data: toExactData({ data: asked['data'] as TaskInput['data'], data_text: text }) };
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

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

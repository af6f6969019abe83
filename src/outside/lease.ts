import { LeaseLostError, TaskFailedError, UsageError } from '../errors.ts';
import { failHeld } from '../jobs/leased/end-held.ts';
import { releaseTask as giveBack, returnLost } from '../jobs/leased/give-back.ts';
import { renewTask } from '../jobs/leased/take.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { startOf } from '../text/start-of.ts';
import { requireLeaseMs, requireRef } from './check-options.ts';
import type { OutsideParts } from './parts.ts';
import { noticeEnd } from './report.ts';
import { requireMine } from './standing.ts';
import type { LeaseRef, RenewOptions } from './types.ts';

const LONGEST_WHY = 2_000;

/** @throws LeaseLostError; UsageError for a time that is too short or too long */
export async function renewLease(
  { db, queues, createRecord }: OutsideParts,
  options: RenewOptions,
): Promise<{ task_id: string; expires_at: string }> {
  requireRef(options);
  const { taskId, lease } = options;
  const leaseMs = requireLeaseMs(options.forMs);
  await returnLost(db, () => queues.tasks, createRecord);
  const expiresAt = await renewTask(db, taskId, { token: lease, leaseMs });
  if (expiresAt === null) {
    await requireMine(db, taskId, lease);
    throw new LeaseLostError(`task ${taskId}: its lease was lost just now`);
  }
  return { task_id: taskId, expires_at: new Date(expiresAt).toISOString() };
}

/** Gives a claimed task back. @throws LeaseLostError */
export async function releaseTask(
  { db, queues, createRecord }: OutsideParts,
  options: LeaseRef,
): Promise<{ task_id: string }> {
  requireRef(options);
  const { taskId, lease } = options;
  await returnLost(db, () => queues.tasks, createRecord);
  const { record } = await requireMine(db, taskId, lease);
  const why = `${record.by} gave it back`;
  if (!(await giveBack(db, { taskId, lease, why, record: createRecord() }))) await requireMine(db, taskId, lease);
  return { task_id: taskId };
}

/** Fails a claimed task. @throws LeaseLostError; UsageError without a reason */
export async function failTask(parts: OutsideParts, options: LeaseRef & { why: string }): Promise<{ task_id: string }> {
  const { db, queues, createRecord } = parts;
  requireRef(options);
  const { taskId, lease, why } = options;
  if (typeof why !== 'string' || why.trim() === '') throw new UsageError('why: expected the reason in words');
  await returnLost(db, () => queues.tasks, createRecord);
  const { record, data } = await requireMine(db, taskId, lease);
  const error = new TaskFailedError('outside', startOf(why.trim(), LONGEST_WHY));
  const held = { db, queue: queues.tasks };
  const end = { token: lease, by: record.by, error, record: createRecord() };
  if (!(await failHeld(held, taskId, end))) await requireMine(db, taskId, lease);
  const { batch } = (parseRecord(data) ?? {}) as { batch?: string };
  await noticeEnd(parts, { batch });
  return { task_id: taskId };
}

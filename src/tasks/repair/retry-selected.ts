import type { Queue } from 'bullmq';
import type { QueueName } from '../../../queues/registry.ts';
import { toNamed } from '../../audit/note-change.ts';
import type { Change } from '../../audit/types.ts';
import { withAudit } from '../../audit/with-audit.ts';
import { UsageError } from '../../errors.ts';
import { isCancelled } from '../../jobs/cancelled.ts';
import { findQueueOfJob } from '../../jobs/queue-of-job.ts';
import type { Db } from '../../redis/db.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { closeBatch, noticeBatchEnd, openBatch } from '../batch/lifecycle.ts';
import { assertBatch } from '../batch/progress.ts';
import { readKnownNames, type Configured } from '../known-names.ts';
import { eachFailedJob } from './failed.ts';
import { toRetryChange, type RetriedJob } from './note-retries.ts';
import { retryJob } from './retry.ts';
import type { RetryHow, RetryReport, RetrySelection, TaskEdit } from './types.ts';

export interface RetryParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  /** Sends the end of a batch whose last job was refused. */
  notifier: Notifier;
  /** Workspaces of this process' own configuration, for edited tasks. */
  configured: Configured;
}

/**
 * Puts failed jobs back to waiting, one after the other. Jobs that cannot be retried are reported, all others are retried.
 * @param how.by who does it, for the jobs' logs
 * @param how.onProgress called after each job
 * @throws UsageError for a selection or an edit that breaks a rule; NotFoundError where no batch has this name
 */
export async function retrySelected(
  parts: RetryParts,
  selection: RetrySelection,
  how: RetryHow & { by: string; onProgress?: (done: number, of: number) => void },
): Promise<RetryReport> {
  const edit = toEdit(selection, how);
  return retryAll(parts, await choose(parts, selection), { ...how, edit, selection });
}

/** Puts all that failed in a queue back to waiting, like `retrySelected`; what a person cancelled stays as it is. */
export async function retryQueue(parts: RetryParts, queue: QueueName, how: { by: string }): Promise<RetryReport> {
  return retryAll(parts, await chooseFailed(parts, queue), { ...how, edit: null, selection: {} });
}

/** What is retried: job id → its batch; null where it is not known. */
type Chosen = ReadonlyMap<string, string | null>;

interface How {
  by: string;
  edit: TaskEdit | null;
  /** What was asked, for the audit. */
  selection: RetrySelection;
  fresh?: boolean;
  dryRun?: boolean;
  onProgress?: (done: number, of: number) => void;
}

async function retryAll(parts: RetryParts, chosen: Chosen, how: How): Promise<RetryReport> {
  if (how.dryRun === true || chosen.size === 0) return retryEach(parts, chosen, how, async () => undefined);
  const { batch } = how.selection;
  const about = { ...(batch === undefined ? {} : { batch }), ...toNamed([...chosen.keys()]) };
  return withAudit(parts.db, { what: 'retry', about }, (note) => retryEach(parts, chosen, how, note));
}

/** @param note notes in the audit what was retried, also where an error has ended it half way */
async function retryEach(
  parts: RetryParts,
  chosen: Chosen,
  how: How,
  note: (change: Change) => Promise<void>,
): Promise<RetryReport> {
  const { by, edit, selection, onProgress, fresh = false, dryRun = false } = how;
  return inOpenBatches(parts, dryRun ? [] : chosen.values(), async () => {
    const { db, queues, configured } = parts;
    const known = await readKnownNames(db, configured);
    const report: RetryReport = { retried: [], refused: [], dryRun };
    const options = { by, known, fresh, dryRun, ...(edit === null ? {} : { edit }) };
    const retried: RetriedJob[] = [];
    onProgress?.(0, chosen.size);
    try {
      for (const id of chosen.keys()) {
        try {
          retried.push(await retryJob({ db, queue: await findQueueOfJob({ db, queues }, id) }, id, options));
          report.retried.push(id);
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
          const message = error.message.startsWith('job ') ? error.message : `job ${id}: ${error.message}`;
          report.refused.push({ id, message });
        }
        onProgress?.(report.retried.length + report.refused.length, chosen.size);
      }
    } finally {
      const asked = { selection, fresh, ...(edit === null ? {} : { edit }) };
      if (retried.length > 0) await note(toRetryChange(retried, asked));
    }
    return report;
  });
}

/** @returns null: the jobs run as they are. @throws UsageError for a selection or an edit that breaks a rule */
function toEdit({ ids = [], batch, reason }: RetrySelection, how: RetryHow): TaskEdit | null {
  const { description, append, data, model, maxTurns, effort, budgetUsd } = how;
  if (ids.length === 0 && batch === undefined && reason === undefined) {
    throw new UsageError('retry: expected job ids, a batch or a reason; `fleet failed` shows what failed');
  }
  if (ids.length > 0 && (batch !== undefined || reason !== undefined)) {
    throw new UsageError('retry: expected job ids, or a batch and a reason, not both');
  }
  const edit: TaskEdit = {
    ...(description === undefined ? {} : { description }),
    ...(append === undefined ? {} : { append }),
    ...(model === undefined ? {} : { model }),
    ...(maxTurns === undefined ? {} : { maxTurns }),
    ...(effort === undefined ? {} : { effort }),
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
  };
  const isEdited = Object.keys(edit).length > 0;
  if (data === undefined) return isEdited ? edit : null;
  if (isEdited) throw new UsageError('retry: data puts a whole task in place; leave out what changes a part of it');
  if (ids.length !== 1) throw new UsageError(`retry: data needs exactly one job id, got ${ids.length}`);
  return { data };
}

/** Finds the jobs to retry. */
async function choose(parts: RetryParts, selection: RetrySelection): Promise<Chosen> {
  const { ids = [], batch, first = Infinity } = selection;
  if (ids.length > 0) return new Map([...new Set(ids)].slice(0, first).map((id) => [id, null]));
  if (batch !== undefined) await assertBatch(parts.db, batch);
  return chooseFailed(parts, 'tasks', selection);
}

async function chooseFailed({ db, queues }: RetryParts, queue: QueueName, selection: RetrySelection = {}) {
  const { batch, reason, first = Infinity } = selection;
  const chosen = new Map<string, string | null>();
  const filter = { ...(batch === undefined ? {} : { batch }), ...(reason === undefined ? {} : { reason }) };
  for await (const job of eachFailedJob(db, queues[queue], filter)) {
    if (chosen.size >= first) break;
    if (reason === undefined && isCancelled(job.reason)) continue; // a person did not want it; `--reason cancelled` does
    chosen.set(job.id, job.batch);
  }
  return chosen;
}

/** Keeps the batches of these jobs open until `work` is done, so that they do not end before all jobs are retried. */
async function inOpenBatches<T>(
  { db, notifier }: RetryParts,
  ofJobs: Iterable<string | null>,
  work: () => Promise<T>,
): Promise<T> {
  const batches = [...new Set(ofJobs)].filter((batch) => batch !== null);
  for (const batch of batches) await openBatch(db, batch);
  try {
    return await work();
  } finally {
    for (const batch of batches) {
      await closeBatch(db, batch);
      await noticeBatchEnd(db, batch, notifier);
    }
  }
}

import type { Queue } from 'bullmq';
import { countOne, describeCounts } from '../../audit/describe-counts.ts';
import { toNamed } from '../../audit/note-change.ts';
import type { AuditFields, Change } from '../../audit/types.ts';
import { withAudit } from '../../audit/with-audit.ts';
import { NotFoundError, UsageError } from '../../errors.ts';
import { findQueueOfJob } from '../../jobs/queue-of-job.ts';
import { cancelBatch } from '../../tasks/batch/cancel.ts';
import { assertBatch } from '../../tasks/batch/progress.ts';
import { assertOpen, cancelJobs } from '../../tasks/cancel.ts';
import type { CancelReport, CancelSelection } from '../../tasks/types.ts';
import { cancelChildren, type ChildParts } from '../mission/children.ts';

/**
 * Cancels open jobs of any queue, or all open tasks of a batch. The children of a mission are cancelled with it. What has
 * ended or does not exist is reported, all else is cancelled.
 * @param onProgress called for a batch, with the lines that were looked at
 * @throws UsageError for a wrong selection; NotFoundError where no batch has this name
 */
export async function cancelSelected(
  { db, queues }: ChildParts,
  { ids, batch }: CancelSelection,
  onProgress?: (lines: number, of: number) => void,
): Promise<CancelReport> {
  if (batch !== undefined && (ids ?? []).length === 0) {
    await assertBatch(db, batch);
    return { count: await cancelWhole({ db, queues }, batch, onProgress), ids: [], refused: [] };
  }
  if (batch !== undefined || ids === undefined || ids.length === 0) {
    throw new UsageError('cancel: expected job ids or a batch, exactly one of the two');
  }
  return withAudit(db, { what: 'cancel', about: toNamed(ids) }, async (note) => {
    const states = new Map<string, number>();
    const done: string[] = [];
    let children = 0;
    try {
      return await eachNamed({ db, queues }, ids, async (id, queue) => {
        const [state = 'unknown'] = await cancelJobs(db, queue, [id]);
        countOne(states, state);
        done.push(id);
        const more = queue === queues.missions ? await cancelChildren({ db, queues }, id) : 0;
        children += more;
        return more;
      });
    } finally {
      await noteCancel(note, toNamed(done), { states, cancelled: done.length + children });
    }
  });
}

async function cancelWhole(
  { db, queues }: ChildParts,
  batch: string,
  onProgress: ((lines: number, of: number) => void) | undefined,
): Promise<number> {
  return withAudit(db, { what: 'cancel', about: { batch } }, async (note) => {
    const states = new Map<string, number>();
    let cancelled = 0;
    const onState = (state: string): void => {
      countOne(states, state);
      cancelled += 1;
    };
    try {
      return await cancelBatch(db, queues.tasks, batch, { onProgress, onState });
    } finally {
      await noteCancel(note, { batch }, { states, cancelled });
    }
  });
}

/** One entry of the audit, however many jobs were cancelled; also where an error has ended it half way. */
async function noteCancel(
  note: (change: Change) => Promise<void>,
  about: AuditFields,
  { states, cancelled }: { states: ReadonlyMap<string, number>; cancelled: number },
): Promise<void> {
  if (cancelled === 0) return;
  const after = { state: 'cancelled', ...(cancelled === 1 ? {} : { jobs: cancelled }) };
  await note({ what: 'cancel', about, before: { state: describeCounts(states) }, after });
}

/** Tells which of these jobs `cancelSelected` would cancel, without the children of missions. Changes nothing. */
export function checkCancel(parts: ChildParts, ids: readonly string[]): Promise<CancelReport> {
  return eachNamed(parts, ids, async (id, queue) => {
    await assertOpen(parts.db, queue, [id]);
    return 0;
  });
}

/** @param act returns how many jobs it cancelled besides. @returns what became of each job; those that break a rule are reported */
async function eachNamed(
  parts: ChildParts,
  ids: readonly string[],
  act: (id: string, queue: Queue) => Promise<number>,
): Promise<CancelReport> {
  const report: CancelReport = { count: 0, ids: [], refused: [] };
  for (const id of new Set(ids)) {
    try {
      const more = await act(id, await findQueueOfJob(parts, id));
      report.ids.push(id);
      report.count += more;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      report.refused.push({ id, message: error.message, isMissing: error instanceof NotFoundError });
    }
  }
  report.count += report.ids.length;
  return report;
}

import type { Effort } from '../../../../queues/effort.ts';
import { countOf } from '../../../text/plural.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { toMessage, UsageError } from '../../../errors.ts';
import { readKnownNames } from '../../../tasks/known-names.ts';
import { openBatch, closeBatch, noticeBatchEnd } from '../../../tasks/batch/lifecycle.ts';
import { eachFailedJob } from '../../../tasks/repair/failed.ts';
import { assertBatch } from '../../../tasks/batch/progress.ts';
import { createNotifier } from '../../../swarm/notify.ts';
import { findQueueOfJob } from '../../../jobs/queue-of-job.ts';
import { retryJob, type TaskEdit } from '../../../tasks/repair/retry.ts';
import { readJsonFile } from '../../input/files.ts';
import { printJson } from '../../output/print.ts';
import { showProgress } from '../../output/progress.ts';
import { withFleet, currentUser } from '../../input/with-fleet.ts';

export interface RetryCommandOptions {
  batch?: string;
  reason?: string;
  append?: string;
  data?: string;
  model?: string;
  maxTurns?: number;
  effort?: Effort;
  first?: number;
  fresh?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

/** Ids that are printed; further ones are only counted. */
const NAMED = 20;

/** Does `fleet retry`. */
export async function runRetryCommand(ids: string[], options: RetryCommandOptions): Promise<void> {
  const edit = toEdit(ids, options);
  await withFleet(async (fleet) => {
    const chosen = await choose(fleet, ids, options);
    const { retried, refused } = await inOpenBatches(fleet, chosen, options, () =>
      retryAll(fleet, [...chosen.keys()], edit, options),
    );
    if (refused.length > 0) process.exitCode = 1;
    if (options.json) return printJson({ retried, refused, dryRun: options.dryRun ?? false });
    const verb = options.dryRun ? 'Would retry' : 'Retried';
    for (const id of retried.slice(0, NAMED)) console.log(`${verb} ${id}`);
    if (retried.length > NAMED) console.log(`… and ${countOf(retried.length - NAMED, 'more', 'more')}`);
    for (const { message } of refused.slice(0, NAMED)) console.error(`❌ ${message}`);
    if (refused.length > NAMED) console.error(`❌ … and ${countOf(refused.length - NAMED, 'more', 'more')}`);
    if (chosen.size === 0) console.log('No failed task fits.');
  });
}

function toEdit(ids: string[], options: RetryCommandOptions): TaskEdit | undefined {
  const { batch, reason, append, data, model, maxTurns, effort } = options;
  if (ids.length === 0 && batch === undefined && reason === undefined) {
    throw new UsageError('retry: expected job ids, --batch or --reason; `fleet failed` shows what failed');
  }
  if (ids.length > 0 && (batch !== undefined || reason !== undefined)) {
    throw new UsageError('retry: expected job ids, or --batch and --reason, not both');
  }
  const edit = {
    ...(append === undefined ? {} : { append }),
    ...(model === undefined ? {} : { model }),
    ...(maxTurns === undefined ? {} : { maxTurns }),
    ...(effort === undefined ? {} : { effort }),
  };
  const isEdited = Object.keys(edit).length > 0;
  if (data === undefined) return isEdited ? edit : undefined;
  if (isEdited)
    throw new UsageError(
      'retry: --data puts a whole task in place; leave out --append, --model, --max-turns and --effort',
    );
  if (ids.length !== 1) throw new UsageError('retry: --data needs exactly one job id');
  return { data: readJsonFile('--data', data) };
}

/** Finds the jobs to retry. @returns job id → its batch; null where it is not known */
async function choose(
  fleet: OpenFleet,
  ids: string[],
  options: RetryCommandOptions,
): Promise<Map<string, string | null>> {
  const { db, queues } = fleet.inner;
  const { batch, reason, first = Infinity } = options;
  const chosen = new Map<string, string | null>();
  for (const id of ids) if (chosen.size < first) chosen.set(id, null);
  if (ids.length > 0) return chosen;
  if (batch !== undefined) await assertBatch(db, batch);
  const filter = { ...(batch === undefined ? {} : { batch }), ...(reason === undefined ? {} : { reason }) };
  for await (const job of eachFailedJob(db, queues.tasks, filter)) {
    if (chosen.size >= first) break;
    chosen.set(job.id, job.batch);
  }
  return chosen;
}

/** Keeps the batches of these jobs open until `work` is done, so that they do not end before all jobs are retried. */
async function inOpenBatches<T>(
  { inner }: OpenFleet,
  chosen: ReadonlyMap<string, string | null>,
  options: RetryCommandOptions,
  work: () => Promise<T>,
): Promise<T> {
  const { db, config } = inner;
  const batches = options.dryRun ? [] : [...new Set(chosen.values())].filter((batch) => batch !== null);
  for (const batch of batches) await openBatch(db, batch);
  try {
    return await work();
  } finally {
    const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
    for (const batch of batches) {
      await closeBatch(db, batch);
      await noticeBatchEnd(db, batch, notifier);
    }
    await notifier.flush();
  }
}

async function retryAll(fleet: OpenFleet, ids: string[], edit: TaskEdit | undefined, options: RetryCommandOptions) {
  const { db, config, queues } = fleet.inner;
  const known = await readKnownNames(db, Object.keys(config.FLEET_WORKSPACES));
  const retried: string[] = [];
  const refused: { id: string; message: string }[] = [];
  const progress = showProgress('Retrying', ids.length);
  for (const id of ids) {
    try {
      await retryJob({ db, queue: await findQueueOfJob({ db, queues }, id) }, id, {
        by: currentUser(),
        known,
        fresh: options.fresh ?? false,
        dryRun: options.dryRun ?? false,
        ...(edit === undefined ? {} : { edit }),
      });
      retried.push(id);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      refused.push({
        id,
        message: toMessage(error).startsWith('job ') ? error.message : `job ${id}: ${error.message}`,
      });
    }
    progress.update(retried.length + refused.length);
  }
  progress.stop();
  return { retried, refused };
}

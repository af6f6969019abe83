import type { Effort } from '../../../../queues/effort.ts';
import { countOf } from '../../../text/plural.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { NotFoundError, UsageError } from '../../../errors.ts';
import { CANCELLED, isCancelled } from '../../../jobs/cancelled.ts';
import { eachFailedJob, groupFailedJobs } from '../../../tasks/repair/failed.ts';
import { retrySelected } from '../../../tasks/repair/retry-selected.ts';
import type { RetryHow, RetrySelection } from '../../../tasks/repair/types.ts';
import { createNotifier } from '../../../swarm/notify.ts';
import { currentUser } from '../../../swarm/current-user.ts';
import { readJsonFile } from '../../input/files.ts';
import { printJson } from '../../output/print.ts';
import { showProgress } from '../../output/progress.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { toConfigured } from '../../../tasks/known-names.ts';

export interface RetryCommandOptions {
  batch?: string;
  reason?: string;
  description?: string;
  append?: string;
  data?: string;
  model?: string;
  maxTurns?: number;
  effort?: Effort;
  budget?: number;
  first?: number;
  fresh?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

/** Ids that are printed; further ones are only counted. */
const NAMED = 20;

/** Does `fleet retry`. */
export async function runRetryCommand(ids: string[], options: RetryCommandOptions): Promise<void> {
  const { json = false, batch, reason, first, data, budget, ...edit } = options;
  if (ids.length === 0 && batch === undefined && reason === undefined) {
    throw new UsageError('retry: expected job ids, --batch or --reason; `fleet failed` shows what failed');
  }
  const selection: RetrySelection = {
    ids,
    ...(batch === undefined ? {} : { batch }),
    ...(reason === undefined ? {} : { reason }),
    ...(first === undefined ? {} : { first }),
  };
  const how: RetryHow = {
    ...edit,
    ...(budget === undefined ? {} : { budgetUsd: budget }),
    ...(data === undefined ? {} : { data: readJsonFile('--data', data) }),
  };
  await withFleet(async (fleet) => {
    await fleet.inner.assertMayAdd();
    const { retried, refused, dryRun } = await retry(fleet, selection, how);
    const isNone = retried.length === 0 && refused.length === 0;
    if (isNone && !json) await sayNoneFits(fleet, options);
    if (refused.length > 0 || isNone) process.exitCode = 1;
    if (json) return printJson({ retried, refused, dryRun });
    const verb = dryRun ? 'Would retry' : 'Retried';
    for (const id of retried.slice(0, NAMED)) console.log(`${verb} ${id}`);
    if (retried.length > NAMED) console.log(`… and ${countOf(retried.length - NAMED, 'more', 'more')}`);
    for (const { message } of refused.slice(0, NAMED)) console.error(`❌ ${message}`);
    if (refused.length > NAMED) console.error(`❌ … and ${countOf(refused.length - NAMED, 'more', 'more')}`);
  });
}

async function retry({ inner }: OpenFleet, selection: RetrySelection, how: RetryHow) {
  const { db, config, queues } = inner;
  const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
  const parts = { db, queues, notifier, configured: toConfigured(config) };
  const progress = showProgress('Retrying', 0);
  const onProgress = (done: number, of: number): void => {
    progress.setTotal(of);
    progress.update(done);
  };
  try {
    return await retrySelected(parts, selection, { ...how, by: currentUser(), onProgress });
  } finally {
    progress.stop();
    await notifier.flush();
  }
}

/** @throws NotFoundError naming the reasons that failed tasks have */
async function sayNoneFits({ inner }: OpenFleet, { batch, reason }: RetryCommandOptions): Promise<never> {
  const { db, queues } = inner;
  const groups = await groupFailedJobs(eachFailedJob(db, queues.tasks, batch === undefined ? {} : { batch }));
  const where = batch === undefined ? '' : ` of batch ${batch}`;
  const cancelled = groups.find((group) => isCancelled(group.reason))?.count ?? 0;
  if (reason === undefined && cancelled > 0) {
    const command = `fleet retry ${batch === undefined ? '' : `--batch ${batch} `}--reason ${CANCELLED}`;
    throw new NotFoundError(
      `retry: no task${where} has failed; ${countOf(cancelled, 'task')} ${cancelled === 1 ? 'was' : 'were'} cancelled: ${command} runs ${cancelled === 1 ? 'it' : 'them'} after all`,
    );
  }
  if (groups.length === 0) throw new NotFoundError(`retry: no task${where} has failed; nothing was done`);
  const found = groups.map((group) => `${group.reason} (${group.count})`).join(', ');
  throw new NotFoundError(
    `retry: no task${where} has failed with reason ${JSON.stringify(reason ?? '')}; failed tasks have: ${found}`,
  );
}

import type { Queue } from 'bullmq';
import type { QueueName } from '../../queues/registry.ts';
import type { Config } from '../config/environment.ts';
import { cancelSelected } from '../coordinator/control/cancel.ts';
import type { Db } from '../redis/db.ts';
import { withRedisErrors } from '../redis/errors/redis-errors.ts';
import { currentUser } from '../swarm/current-user.ts';
import { createNotifier } from '../swarm/notify.ts';
import { followFailures } from '../tasks/repair/follow-failures.ts';
import { listFailed } from '../tasks/repair/list-failed.ts';
import { retrySelected } from '../tasks/repair/retry-selected.ts';
import { followActivity, type Happening } from '../swarm/follow-activity.ts';
import type { ActivityEvent, ActivityOptions } from '../swarm/types.ts';
import type { FailedFilter, FailuresOptions, RetryHow, RetrySelection } from '../tasks/repair/types.ts';
import type { CancelSelection } from '../tasks/types.ts';
import { assertGiven, assertIds, assertInstant, assertOptions, assertText, namesOf } from './given/options.ts';
import type { AddCheck } from './task-handle.ts';
import type { Fleet } from './types.ts';
import { toConfigured } from '../tasks/known-names.ts';
import type { TimelineOptions } from '../timeline/types.ts';

const CANCEL = namesOf<CancelSelection>({ ids: true, batch: true });
const RETRY = namesOf<RetrySelection>({ ids: true, batch: true, reason: true, first: true });
const HOW = namesOf<RetryHow>({
  description: true,
  append: true,
  data: true,
  model: true,
  maxTurns: true,
  effort: true,
  budgetUsd: true,
  fresh: true,
  dryRun: true,
});
const FAILED = namesOf<FailedFilter>({ batch: true, session: true, reason: true });
const FAILURES = namesOf<FailuresOptions>({
  batch: true,
  session: true,
  reason: true,
  existing: true,
  signal: true,
});

const TIMELINE = namesOf<TimelineOptions>({ follow: true, signal: true });
const ACTIVITY = namesOf<ActivityOptions>({
  since: true,
  what: true,
  batch: true,
  mission: true,
  worker: true,
  follow: true,
  signal: true,
});

export interface VerbParts extends AddCheck {
  db: Db;
  queues: Record<QueueName, Queue>;
  config: Config;
}

/** Creates what a connected fleet does with jobs that exist. @param closing ends the following of failures */
export function createFleetJobs(
  parts: VerbParts,
  closing: AbortSignal,
): Pick<Fleet, 'job' | 'cancel' | 'retry' | 'failed' | 'failures' | 'activity'> {
  const { db, queues, config } = parts;
  const { REDIS_URL: url } = config;
  return {
    async job(id) {
      assertText('job: id', id);
      const { readJobReport } = await import('../timeline/job-report.ts');
      const check = (options: TimelineOptions): void => assertOptions('timeline', options, TIMELINE);
      return withRedisErrors(url, () => readJobReport(db, id, { closing, check }));
    },
    async cancel(selection) {
      assertGiven('cancel', selection);
      assertOptions('cancel', selection, CANCEL);
      assertIds('cancel', selection.ids);
      return withRedisErrors(url, () => cancelSelected({ db, queues }, selection));
    },
    async retry(selection, how = {}) {
      assertGiven('retry', selection);
      assertOptions('retry', selection, RETRY);
      assertOptions('retry', how, HOW);
      assertIds('retry', selection.ids);
      const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
      return withRedisErrors(url, async () => {
        await parts.assertMayAdd();
        const configured = toConfigured(config);
        const retried = { db, queues, notifier, configured };
        return await retrySelected(retried, selection, { ...how, by: currentUser() }).finally(() => notifier.flush());
      });
    },
    async failed(options = {}) {
      assertOptions('failed', options, FAILED);
      return withRedisErrors(url, () => listFailed({ db, queues }, options));
    },
    failures(options = {}) {
      assertOptions('failures', options, FAILURES);
      const { signal, ...only } = options;
      const until = signal === undefined ? closing : AbortSignal.any([closing, signal]);
      return followFailures({ db, url, queues: Object.values(queues) }, only, until);
    },
    activity(options = {}) {
      assertOptions('activity', options, ACTIVITY);
      assertInstant('activity: since', options.since);
      const { signal, ...query } = options;
      const until = signal === undefined ? closing : AbortSignal.any([closing, signal]);
      return toPlain(followActivity({ db, url }, query, until));
    },
  };
}

/** Without the findings, which `findings.get` reads. */
async function* toPlain(happenings: AsyncIterable<Happening>): AsyncGenerator<ActivityEvent> {
  for await (const { finding: _, ...event } of happenings) yield event;
}

import { assertVerbs } from '../audit/check-query.ts';
import { eachAudited } from '../audit/read-audit.ts';
import type { AuditOptions } from '../audit/types.ts';
import type { Config } from '../config/environment.ts';
import { assertJobFilter } from '../jobs/find/check-filter.ts';
import { eachJob } from '../jobs/find/list-jobs.ts';
import type { JobListOptions } from '../jobs/find/types.ts';
import { listSessions } from '../ledger/report/sessions.ts';
import type { Db } from '../redis/db.ts';
import { toRedisError, withRedisErrors } from '../redis/errors/redis-errors.ts';
import { listBatches } from '../tasks/batch/list/list-batches.ts';
import type { BatchListOptions } from '../tasks/batch/types.ts';
import { assertInstant, assertOptions, namesOf } from './given/options.ts';
import type { Fleet } from './types.ts';

const JOBS = namesOf<JobListOptions>({
  words: true,
  state: true,
  reason: true,
  batch: true,
  mission: true,
  model: true,
  worker: true,
  client: true,
  session: true,
  since: true,
  costAboveUsd: true,
  limit: true,
  signal: true,
});
const AUDIT = namesOf<AuditOptions>({ since: true, what: true, who: true, limit: true });
const BATCHES = namesOf<BatchListOptions>({ all: true });

/** Creates the lists of a connected fleet. @param closing ends the list of jobs */
export function createFleetLists(
  { db, config }: { db: Db; config: Config },
  closing: AbortSignal,
): Pick<Fleet, 'jobs' | 'batches' | 'sessions' | 'audit'> {
  const { REDIS_URL: url } = config;
  return {
    jobs(options = {}) {
      assertOptions('jobs', options, JOBS);
      const { limit, signal, ...filter } = options;
      assertJobFilter(filter);
      const until = signal === undefined ? closing : AbortSignal.any([closing, signal]);
      return guarded(eachJob(db, filter, { signal: until, ...(limit === undefined ? {} : { limit }) }), url);
    },
    async batches(options = {}) {
      assertOptions('batches', options, BATCHES);
      return withRedisErrors(url, () => listBatches(db, options));
    },
    audit(options = {}) {
      assertOptions('audit', options, AUDIT);
      assertInstant('audit: since', options.since);
      assertVerbs(options.what ?? []);
      return guarded(eachAudited(db, options), url);
    },
    sessions: () => withRedisErrors(url, () => listSessions(db)),
  };
}

async function* guarded<T>(items: AsyncIterable<T>, url: string): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    throw toRedisError(error, url);
  }
}

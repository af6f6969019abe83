import { NotFoundError, TaskFailedError, UsageError } from '../../../errors.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { assertJobFilter, nearest } from '../../../jobs/find/check-filter.ts';
import { readJobPage } from '../../../jobs/find/list-jobs.ts';
import type { JobFilter, ListedState } from '../../../jobs/find/types.ts';
import { listSessions } from '../../../ledger/report/sessions.ts';
import { catalogOf } from '../../../pricing/catalog.ts';
import { assertBatch } from '../../../tasks/batch/progress.ts';
import { toSince } from '../../input/since.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { JOBS_SHOWN } from '../../input/options.ts';
import { noteHalt } from '../../output/halt-note.ts';
import { printJson, wantsColour } from '../../output/print.ts';
import { renderJobs } from './jobs-render.ts';

export interface JobsOptions {
  state?: string;
  reason?: string;
  batch?: string;
  mission?: string;
  model?: string;
  worker?: string;
  client?: string;
  session?: string;
  since?: string;
  costAbove?: string;
  limit?: number;
  cursor?: string;
  json?: boolean;
}

/** Does `fleet jobs`. */
export async function runJobsCommand(words: string[], options: JobsOptions): Promise<void> {
  await withFleet(async (fleet) => {
    const { db } = fleet.inner;
    const now = db.clock.now();
    const filter = toFilter(words, options, now);
    const { cursor, limit = JOBS_SHOWN } = options;
    const page = await readJobPage(db, filter, { limit, ...(cursor === undefined ? {} : { cursor }) });
    if (page.jobs.length === 0 && page.cursor === null && cursor === undefined) await assertKnown(fleet, filter);
    if (options.json) return printJson(page);
    console.log(renderJobs(page, { now, colour: wantsColour() }));
    await noteHalt(db);
  });
}

/** @throws UsageError for a value that breaks its rule */
function toFilter(words: string[], options: JobsOptions, now: number): JobFilter {
  const { state, since, costAbove, limit: _, cursor: __, json: ___, ...names } = options;
  const text = words.map((word) => (/\s/.test(word) && words.length > 1 ? `"${word}"` : word)).join(' ');
  const filter: JobFilter = {
    ...names,
    ...(words.length === 0 ? {} : { words: text }),
    ...(state === undefined ? {} : { state: state.split(',').map((name) => name.trim() as ListedState) }),
    ...(since === undefined ? {} : { since: toSince(since, now) }),
    ...(costAbove === undefined ? {} : { costAboveUsd: costAbove.replace(/^\$/, '') }),
  };
  try {
    assertJobFilter(filter);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const option = error.message.replace(/^costAboveUsd:/, 'cost-above:');
    throw new UsageError(option.startsWith('words:') ? option : `--${option}`);
  }
  return filter;
}

/**
 * Where nothing fits: names that nothing has. They may be of jobs that are gone, and are no error where one is found.
 * @throws NotFoundError, UsageError that names those there are
 */
async function assertKnown({ inner: { db, config } }: OpenFleet, filter: JobFilter): Promise<void> {
  const { redis, keys, clock } = db;
  const { batch, mission, model, worker, client, session } = filter;
  if (batch !== undefined) await assertBatch(db, batch);
  if (mission !== undefined && (await redis.exists(keys.mission(mission))) === 0) {
    throw toUnknown('mission', mission, await redis.zrevrange(keys.missions, 0, 4));
  }
  if (client !== undefined && (await redis.hexists(keys.clients, client)) === 0) {
    throw toUnknown('client', client, await redis.hkeys(keys.clients));
  }
  if (worker !== undefined && (await redis.hexists(keys.workers, worker)) === 0) {
    throw toUnknown('worker', worker, await redis.hkeys(keys.workers));
  }
  if (session !== undefined) {
    const known = (await listSessions(db)).map(({ name }) => name);
    if (!known.includes(session)) throw toUnknown('session', session, known);
  }
  if (model === undefined) return;
  try {
    catalogOf(config).findPrices(model, clock.date());
  } catch (error) {
    throw error instanceof TaskFailedError ? new UsageError(`--model: ${error.message}`) : error;
  }
}

/** Names that an error lists at most. */
const NAMED = 5;

function toUnknown(what: string, name: string, known: readonly string[]): NotFoundError {
  const meant = nearest(name, known);
  const some = known.slice(0, NAMED).join(', ');
  const there = known.length === 0 ? 'there is none' : `there are ${some}${known.length > NAMED ? ' and others' : ''}`;
  const question = meant === null ? '' : `; did you mean ${meant}?`;
  return new NotFoundError(`no job fits, and no ${what} is called ${JSON.stringify(name)}: ${there}${question}`);
}

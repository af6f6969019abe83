import { Router } from 'express';
import { z } from 'zod';
import { changeBudget } from '../../src/coordinator/control/budget.ts';
import { cancelSelected } from '../../src/coordinator/control/cancel.ts';
import { listBatches } from '../../src/tasks/batch/list/list-batches.ts';
import { readBatch } from '../../src/tasks/batch/progress.ts';
import { refuseRule } from '../access/refuse-rule.ts';
import { refuse } from '../access/request-checks.ts';
import { createOnChange } from '../input/on-change.ts';
import { readQuery } from '../input/parse-query.ts';
import { createJobChanges } from '../jobs/change-jobs.ts';
import { toBatchList, toBatchPage, toOpen } from './batch-page.ts';
import type { ListRouteParts } from '../input/list-route-parts.ts';

/** Failed tasks that one change retries, the oldest failure first. */
const MOST_RETRIED = 1_000;
/** Refused tasks that an answer names. */
const NAMED = 20;
const LIST_TOO_LONG = 'the list took longer than 10 s to read: fleet batches reads all of it';

const listQuery = { all: z.stringbool('expected true or false').default(false) };
/** Strict: what a page does not send is a mistake. */
const change = z.strictObject({
  /** Only tells what would happen. */
  dryRun: z.boolean().default(false),
});
const budget = z.strictObject({ limitUsd: z.string().min(1).max(40) });

/** Creates `/api/batches`: the batches, one of them, and what a person can decide about it. */
export function createBatchRoutes({ db, queues, config, log, inTime, searchInTime }: ListRouteParts): Router {
  const changes = createJobChanges({ db, queues, config });
  const router = Router();

  router.get('/api/batches', async (request, response) => {
    const query = readQuery(listQuery, request, response);
    if (query === null) return;
    await inTime(db.redis.ping()); // a Redis that does not answer is no long list
    const batches = await searchInTime(() => listBatches(db, query));
    if (batches === null) return refuse(response, 504, 'search', LIST_TOO_LONG);
    response.json({ ...toBatchList(batches), now: new Date(db.clock.now()).toISOString() });
  });

  router.get('/api/batches/:batch', async (request, response) => {
    try {
      response.json(toBatchPage(await inTime(readBatch(db, request.params.batch))));
    } catch (error) {
      refuseRule(response, error, { db, about: 'batch' });
    }
  });

  async function retry(batch: string, dryRun: boolean) {
    const report = await changes.retryChosen({ batch, first: MOST_RETRIED }, dryRun);
    const { failed } = await readBatch(db, batch);
    const left = dryRun ? failed - report.done.length - report.refused.length : failed - report.refused.length;
    return {
      count: report.done.length,
      forecast: report.forecast,
      refused: report.refused.slice(0, NAMED),
      refusedCount: report.refused.length,
      /** Failed tasks that one change does not reach. */
      left: Math.max(0, left),
    };
  }

  async function cancel(batch: string, dryRun: boolean) {
    const count = dryRun ? toOpen(await readBatch(db, batch)) : (await cancelSelected({ db, queues }, { batch })).count;
    return { count, forecast: null, refused: [], refusedCount: 0, left: 0 };
  }

  const onChange = createOnChange({ router, db, log, about: 'batch', path: '/api/batches/:batch' });
  onChange('retry', change, ({ dryRun }, batch) => retry(batch, dryRun));
  onChange('cancel', change, ({ dryRun }, batch) => cancel(batch, dryRun));
  onChange('budget', budget, async ({ limitUsd }, batch) => ({
    released: await changeBudget({ db, queues }, limitUsd.trim().replace(/^\$/, ''), { batch }),
  }));
  return router;
}

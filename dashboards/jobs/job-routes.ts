import { Router } from 'express';
import { z } from 'zod';
import { NotFoundError, UsageError } from '../../src/errors.ts';
import { readJobPage } from '../../src/jobs/find/list-jobs.ts';
import { findJob } from '../../src/timeline/find-job.ts';
import { lookAtJob } from '../../src/timeline/read-job.ts';
import { refuseRule } from '../access/refuse-rule.ts';
import { refuse } from '../access/request-checks.ts';
import { createOnChange } from '../input/on-change.ts';
import { toVisible } from '../access/visible-text.ts';
import { createJobChanges } from './change-jobs.ts';
import { editSchema, readTaskForm, toTaskEdit } from './edit-task.ts';
import { parseJobQuery } from './job-filter.ts';
import { toJobPage } from './job-page.ts';
import { toJobRow } from './job-row.ts';
import { readTaskBudget } from './task-budget.ts';
import type { ListRouteParts } from '../input/list-route-parts.ts';

/** Jobs of one change: those of the longest page. */
const MOST_JOBS = 200;

const SEARCH_TOO_LONG = 'the search took longer than 10 s: name a state, or search with fleet jobs';

/** Strict: what a page does not send is a mistake. */
const cancel = z.strictObject({
  ids: z.array(z.string().min(1).max(400)).min(1).max(MOST_JOBS),
  /** Only tells what would happen. */
  dryRun: z.boolean().default(false),
});
const retry = cancel.extend({ edit: editSchema.optional() }).refine(({ ids, edit }) => !edit || ids.length === 1, {
  path: ['edit'],
  message: 'expected one id',
});

/** Creates `/api/jobs`: tasks, questions and missions in any state, one of them with its timeline, and what a person can decide about them. */
export function createJobRoutes({ db, queues, config, log, inTime, searchInTime }: ListRouteParts): Router {
  const changes = createJobChanges({ db, queues, config });
  const router = Router();

  router.get('/api/jobs', async (request, response) => {
    await inTime(db.redis.ping()); // a Redis that does not answer is no long search
    const now = db.clock.now();
    try {
      const { filter, limits } = parseJobQuery(request.query, now);
      const page = await searchInTime((signal) => readJobPage(db, filter, { ...limits, signal }));
      if (page === null) return refuse(response, 504, 'search', SEARCH_TOO_LONG);
      const { jobs, looked, cursor, stoppedEarly } = page;
      response.json({ jobs: jobs.map(toJobRow), looked, cursor, stoppedEarly, now: new Date(now).toISOString() });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      refuse(response, 400, 'query', toVisible(error.message));
    }
  });

  router.get('/api/jobs/:id', async (request, response) => {
    try {
      const look = await inTime(findJob(db, request.params.id).then((job) => lookAtJob(db, job)));
      const budget = look.details.queue === 'tasks' ? await inTime(readTaskBudget(db, look.details.id)) : null;
      response.json({ ...toJobPage(look, db.clock.now()), budget });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      refuse(response, 404, 'job', toVisible(error.message));
    }
  });

  /** What the form of an edit begins with. */
  router.get('/api/jobs/:id/edit', async (request, response) => {
    try {
      response.json(await inTime(readTaskForm({ db, queues, config }, request.params.id)));
    } catch (error) {
      refuseRule(response, error, { db, about: 'job' });
    }
  });

  const onChange = createOnChange({ router, db, log, about: 'jobs', path: '/api/jobs', limit: '1mb', usage: 409 });
  onChange('retry', retry, async ({ edit, ...chosen }) => {
    if (edit === undefined) return changes.retry(chosen);
    const asked = toTaskEdit(edit);
    if (!('problem' in asked)) return changes.retry({ ...chosen, edit: asked });
    const refused = chosen.ids.map((id) => ({ id, message: toVisible(asked.problem), field: 'json' }));
    return { done: [], refused, forecast: null };
  });
  onChange('cancel', cancel, changes.cancel);
  return router;
}

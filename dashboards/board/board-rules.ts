import { randomBytes } from 'node:crypto';
import type { BeforeHook, BoardHooks, BullBoardRequest } from '@bull-board/api/typings/app';
import type { Queue } from 'bullmq';
import { z } from 'zod';
import { queueRegistry, type QueueName } from '../../queues/registry.ts';
import { idSchema } from '../../queues/ids.ts';
import { UsageError } from '../../src/errors.ts';
import { readHalt } from '../../src/halt/halt.ts';
import { createBoardAudit, type BoardRoute } from './board-audit.ts';
import { findJob, toQueueName } from './find-job.ts';
import type { JobChecks } from './job-edits.ts';
import type { Db } from '../../src/redis/db.ts';
import { toRules } from '../../src/jobs/contract.ts';
import { readJob } from '../../src/jobs/state/states.ts';
import { startOf } from '../../src/text/start-of.ts';

export interface BoardRulesOptions {
  /** Its actor is who the audit says has done what is allowed. */
  db: Db;
  queues: Record<QueueName, Queue>;
  checks: JobChecks;
  /** Returns the name of the current session. A job that is added here gets it as a stamp. */
  session: () => Promise<string>;
}

type Refusal = { allow: false; status: 400 | 403 | 404 | 409; message: string };
type Rule = (request: BullBoardRequest) => Promise<Refusal | void>;

/** Longest text of job data in the job's log after an edit, UTF-16 code units. */
const LOGGED_TEXT = 20_000;

const addBodySchema = z.object({
  name: z.string(),
  data: z.unknown(),
  options: z
    .strictObject({ delay: z.int().min(0).optional(), priority: z.int().min(0).optional(), jobId: idSchema.optional() })
    .default({}),
});

/** States of a job in which no worker uses its data. */
const EDITABLE = new Set(['failed', 'delayed', 'waiting', 'prioritized']);

/**
 * Decides on the server what Bull Board may change, independent of its buttons. A route that is not listed is refused. No
 * job is deleted, edits obey the rules of enqueuing, and no queue resumes during a halt. What it has
 * changed is noted in the audit. Retries never come here: see `board-retry.ts`.
 */
export function createBoardRules(options: BoardRulesOptions): BoardHooks {
  const rule = createRule(options);
  const audit = createBoardAudit(options.db, options.queues);
  return {
    async before(context) {
      const refusal = await rule(context);
      if (refusal === undefined && context.method !== 'get') await audit.look(context);
      return refusal;
    },
    after: audit.after,
  };
}

function createRule(options: BoardRulesOptions): BeforeHook {
  const { queues, checks, session } = options;
  const free: Rule = async () => undefined;
  const whileHalted: Rule = async () => {
    if ((await readHalt(options.db)) === null) return;
    return refused(409, 'the fleet is halted; lift the halt with: fleet resume (fleet status shows its reason)');
  };

  const rules: Record<BoardRoute, Rule> = {
    'put /api/queues/pause': free,
    'put /api/queues/resume': whileHalted,
    'put /api/queues/:queueName/pause': free,
    'put /api/queues/:queueName/resume': whileHalted,
    'put /api/queues/:queueName/promote': free,
    'put /api/queues/:queueName/:jobId/promote': free,
    'patch /api/queues/:queueName/:jobId/delay': free,
    'patch /api/queues/:queueName/:jobId/priority': free,
    'patch /api/queues/:queueName/:jobId/update-data': async ({ params, body }) => {
      const job = await findJob(queues, params);
      if (job === null) return refused(404, 'no such job');
      const { state } = await readJob(options.db, job.queueName, job.id ?? '');
      if (!EDITABLE.has(state)) return refused(409, `a job that is ${state} cannot be edited`);
      const after: unknown = body['jobData'];
      await checks.checkEdit(job.queueName as QueueName, job.data as Record<string, unknown>, after);
      await job.log(`edited in the dashboard; before: ${toText(job.data)}\nafter: ${toText(after)}`);
    },
    'post /api/queues/:queueName/add': async ({ params, body }) => {
      const name = toQueueName(params['queueName']);
      if (name === null) return refused(404, 'no such queue');
      const parsed = addBodySchema.safeParse(body);
      if (!parsed.success) return refused(400, `job: ${toRules(parsed.error)}`);
      const { jobName } = queueRegistry[name];
      if (parsed.data.name !== jobName)
        return refused(400, `name: expected ${JSON.stringify(jobName)} in queue ${name}`);
      const data = { ...(parsed.data.data as Record<string, unknown>) };
      await checks.checkNew(name, data);
      if ('finding_id' in data)
        return refused(400, 'finding_id: ids are claimed by the command line only; fleet task --finding-id');
      // Bull Board passes this body on to BullMQ: add the stamps and the id that every job of the fleet has.
      Object.assign(body, {
        data: { ...data, session: await session() },
        options: { jobId: `${jobName}-${randomBytes(8).toString('hex')}`, ...parsed.data.options },
      });
    },
  };

  return async ({ method, route, request }) => {
    if (method === 'get') return;
    const rule = (rules as Partial<Record<string, Rule>>)[`${method} ${route}`];
    if (rule === undefined) return refused(403, reasonFor(route));
    try {
      return await rule(request);
    } catch (error) {
      if (error instanceof UsageError) return refused(400, error.message);
      throw error;
    }
  };
}

function reasonFor(route: string): string {
  return /obliterate|empty|clean/.test(route)
    ? 'jobs are not deleted here: they are the record of what was asked, done and paid. They go by age; a waiting one is stopped with: fleet cancel ID'
    : 'the fleet sets this itself; it cannot be changed here';
}

function refused(status: Refusal['status'], message: string): Refusal {
  return { allow: false, status, message };
}

function toText(data: unknown): string {
  return startOf(JSON.stringify(data) ?? '', LOGGED_TEXT);
}

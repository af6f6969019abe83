import type { Queue } from 'bullmq';
import { Router } from 'express';
import { z } from 'zod';
import type { QueueName } from '../../queues/registry.ts';
import { createMissionReviews } from '../../src/api/missions.ts';
import { changeTasks } from '../../src/coordinator/review/change-plan.ts';
import { findReview } from '../../src/coordinator/review/find-review.ts';
import { readMissionStatus } from '../../src/coordinator/mission/status.ts';
import type { Config } from '../../src/config/environment.ts';
import type { Logger } from '../../src/process/logger.ts';
import type { Db } from '../../src/redis/db.ts';
import { refuseRule } from '../access/refuse-rule.ts';
import { refuse } from '../access/request-checks.ts';
import { createOnChange } from '../input/on-change.ts';
import { toMissionPage } from './mission-page.ts';
import { readTaskStates, toTaskForm } from './plan-tasks.ts';
import { toConfigured } from '../../src/tasks/known-names.ts';

const MOST_DROPPED = 5_000;
const MOST_CHANGED = 500;

/** Strict: what a page does not send is a mistake. */
const changes = {
  run: z.strictObject({
    /** The `version` of the plan that the page showed: a plan that changed since is refused. */
    version: z.string().max(64),
    /** Numbers of tasks to leave out. */
    drop: z.array(z.int().min(1)).max(MOST_DROPPED).default([]),
    /** Tasks of the plan that run otherwise than they were planned. Their rules are those of an edited plan. */
    changes: z
      .array(
        z.strictObject({
          task: z.string().max(100),
          description: z.string().max(100_000).optional(),
          model: z.string().max(200).optional(),
          reason: z.string().max(200).optional(),
        }),
      )
      .max(MOST_CHANGED)
      .default([]),
    /** Only tells what would run. */
    dryRun: z.boolean().default(false),
  }),
  answer: z.strictObject({ text: z.string().max(100_000) }),
  park: z.strictObject({}),
  resume: z.strictObject({}),
} as const;

export interface MissionRoutesOptions {
  db: Db;
  queues: Record<QueueName, Queue>;
  config: Config;
  log: Logger;
  /** Rejects if Redis takes too long: no page waits for a frozen one. */
  inTime: <T>(work: Promise<T>) => Promise<T>;
}

/** Creates `/api/missions/<id>`: a mission as its page shows it, and what a person can decide about it. */
export function createMissionRoutes({ db, queues, config, log, inTime }: MissionRoutesOptions): Router {
  const configured = toConfigured(config);
  const missions = createMissionReviews({ db, queues, config, configured, redisUrl: config.REDIS_URL });
  const router = Router();

  router.get('/api/missions/:id', async (request, response) => {
    const { id } = request.params;
    const mission = await inTime(readMissionStatus(db, id));
    if (mission === null) {
      return refuse(response, 404, 'mission', 'there is no mission of this id; fleet mission ls lists the newest');
    }
    const plan = mission.plan === null ? null : await inTime(missions.plan(id));
    const states =
      plan === null || plan.canRun ? new Map<number, string>() : await inTime(readTaskStates(db, plan, mission.state));
    response.json(toMissionPage(mission, plan, states));
  });

  /** One task of the plan as a person may edit it. */
  router.get('/api/missions/:id/plan/:task', async (request, response) => {
    const { id, task } = request.params;
    try {
      const form = toTaskForm(await inTime(findReview({ db, queues }, id)), task, { db, config });
      if (form === null) return refuse(response, 404, 'task', 'the plan has no task of this id');
      response.json(form);
    } catch (error) {
      refuseRule(response, error, { db, about: 'mission', usage: 409 });
    }
  });

  const onChange = createOnChange({
    router,
    db,
    log,
    about: 'mission',
    path: '/api/missions/:id',
    limit: '1mb',
    usage: 409,
  });
  onChange('run', changes.run, async ({ version, drop, changes: edits, dryRun }, id) => {
    const edit =
      edits.length === 0 ? null : changeTasks(id, (await findReview({ db, queues }, id)).record.plan, edits, drop);
    const ran = await missions.run(id, { version, dryRun, ...(edit === null ? { drop } : { edit }) });
    const { tasks, dropped, again, forecast, notes } = ran;
    return { again, tasks: tasks.length, dropped, forecast, notes };
  });
  onChange('answer', changes.answer, ({ text }, id) => missions.answer(id, text));
  onChange('park', changes.park, (_body, id) => missions.park(id));
  onChange('resume', changes.resume, (_body, id) => missions.resume(id));
  return router;
}

import type { Queue } from 'bullmq';
import { json, Router } from 'express';
import { z } from 'zod';
import type { QueueName } from '../../queues/registry.ts';
import { createMissionReviews } from '../../src/api/missions.ts';
import { readMissionStatus } from '../../src/coordinator/mission/status.ts';
import { toRules } from '../../src/jobs/contract.ts';
import type { Config } from '../../src/config/environment.ts';
import type { Logger } from '../../src/process/logger.ts';
import type { Db } from '../../src/redis/db.ts';
import { refuseRule } from '../access/refuse-rule.ts';
import { refuse } from '../access/request-checks.ts';
import { toMissionPage } from './mission-page.ts';
import { toConfigured } from '../../src/tasks/known-names.ts';

const MOST_DROPPED = 5_000;

/** Strict: what a page does not send is a mistake. */
const changes = {
  run: z.strictObject({
    /** The `version` of the plan that the page showed: a plan that changed since is refused. */
    version: z.string().max(64),
    /** Numbers of tasks to leave out. */
    drop: z.array(z.int().min(1)).max(MOST_DROPPED).default([]),
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
    response.json(toMissionPage(mission, plan));
  });

  /** @param decide does what the body asks, which its schema has checked */
  function onChange<Body>(
    action: keyof typeof changes,
    schema: z.ZodType<Body>,
    decide: (id: string, body: Body) => Promise<unknown>,
  ): void {
    router.post(`/api/missions/:id/${action}`, json({ limit: '200kb' }), async (request, response) => {
      const body = schema.safeParse(request.body);
      if (!body.success) return refuse(response, 400, 'body', toRules(body.error));
      const { id = '' } = request.params as { id?: string };
      try {
        const result = await decide(id, body.data);
        log.info({ mission: id, action }, 'a person decided about a mission');
        response.json(result);
      } catch (error) {
        refuseRule(response, error, { db, about: 'mission', usage: 409 });
      }
    });
  }

  onChange('run', changes.run, async (id, options) => {
    const { tasks, dropped, again, forecast, notes } = await missions.run(id, options);
    return { again, tasks: tasks.length, dropped, forecast, notes };
  });
  onChange('answer', changes.answer, (id, { text }) => missions.answer(id, text));
  onChange('park', changes.park, (id) => missions.park(id));
  onChange('resume', changes.resume, (id) => missions.resume(id));
  return router;
}

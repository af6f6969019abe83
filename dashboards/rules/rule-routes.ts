import type { Queue } from 'bullmq';
import { Router } from 'express';
import { z } from 'zod';
import type { QueueName } from '../../queues/registry.ts';
import type { Config } from '../../src/config/environment.ts';
import type { Logger } from '../../src/process/logger.ts';
import type { Db } from '../../src/redis/db.ts';
import { createRules } from '../../src/rules/create-rules.ts';
import type { Rules } from '../../src/rules/types.ts';
import { createSessionReader } from '../../src/swarm/session.ts';
import { createOnChange } from '../input/on-change.ts';
import { readFired } from './read-fired.ts';
import { toRuleRow } from './rule-page.ts';
import { toConfigured } from '../../src/tasks/known-names.ts';

const nothing = z.strictObject({});
/** The parked chains that a person chose, by the ids of their tasks. */
const chains = z.strictObject({ taskIds: z.array(z.string().max(400)).min(1).max(1_000) });

export interface RuleRoutesOptions {
  db: Db;
  queues: Record<QueueName, Queue>;
  config: Config;
  log: Logger;
  /** Rejects if Redis takes too long: no page waits for a frozen one. */
  inTime: <T>(work: Promise<T>) => Promise<T>;
}

/** Creates `/api/rules`: the rules as their page shows them, and what a person can decide about each. */
export function createRuleRoutes({ db, queues, config, log, inTime }: RuleRoutesOptions): Router {
  const rules: Rules = createRules({
    db,
    queues,
    configured: toConfigured(config),
    currentSession: createSessionReader(db),
  });
  const router = Router();

  router.get('/api/rules', async (_request, response) => {
    const [all, parked] = await inTime(Promise.all([rules.list(), rules.parked()]));
    const fired = await inTime(
      readFired(
        db,
        all.map(({ name }) => name),
      ),
    );
    response.json({ rules: all.map((rule) => toRuleRow(rule, parked, fired.get(rule.name) ?? [])) });
  });

  const onChange = createOnChange({ router, db, log, about: 'rule', path: '/api/rules/:name', usage: 409 });
  onChange('pause', nothing, async (_body, name) => ({ state: (await rules.pause(name)).state }));
  onChange('resume', nothing, async (_body, name) => ({ state: (await rules.resume(name)).state }));
  onChange('remove', nothing, (_body, name) => rules.remove(name));
  onChange('release', chains, async ({ taskIds }) => ({ released: await rules.release({ taskIds }) }));
  onChange('drop', chains, async ({ taskIds }) => ({ dropped: await rules.drop({ taskIds }) }));
  return router;
}

import type { Queue } from 'bullmq';
import { Router } from 'express';
import { z } from 'zod';
import type { QueueName } from '../../queues/registry.ts';
import { createFleetControl } from '../../src/api/control.ts';
import { previewBudget } from '../../src/coordinator/control/budget.ts';
import type { Config } from '../../src/config/environment.ts';
import { UsageError } from '../../src/errors.ts';
import { readHalt } from '../../src/halt/halt.ts';
import type { Logger } from '../../src/process/logger.ts';
import type { Db } from '../../src/redis/db.ts';
import { createOnChange } from '../input/on-change.ts';

const name = z.string().min(1).max(400);
/** Strict: what a page does not send is a mistake. */
const changes = {
  halt: z.strictObject({ reason: z.string().trim().min(1, 'expected a reason').max(1_000) }),
  /** `at` of the halt that the page showed: another one is not lifted. */
  resume: z.strictObject({ at: z.string().max(100) }),
  budget: z.strictObject({
    /** Decimal dollars. */
    limitUsd: z
      .string()
      .trim()
      .regex(/^\d{1,30}(\.\d{1,9})?$/, 'expected decimal dollars, such as 20 or 0.50'),
    /** Null: of the day. */
    scope: z
      .union([
        z.strictObject({ client: name }),
        z.strictObject({ batch: name }),
        z.strictObject({ mission: name }),
        z.strictObject({ rule: name }),
        z.strictObject({ task: name }),
      ])
      .nullable()
      .default(null),
    /** Only tells what would be released. */
    dryRun: z.boolean().default(false),
  }),
} as const;

export interface FleetRoutesOptions {
  db: Db;
  queues: Record<QueueName, Queue>;
  config: Config;
  log: Logger;
}

/** Creates `/api/fleet/halt`, `/resume` and `/budget`: what a person decides about the whole fleet, by the rules of the commands of these names. */
export function createFleetRoutes({ db, queues, config, log }: FleetRoutesOptions): Router {
  const control = createFleetControl({ db, queues, config, assertMayAdd: async () => undefined }); // nothing here adds work
  const router = Router();

  const onChange = createOnChange({ router, db, log, about: 'fleet', path: '/api/fleet', limit: '20kb', usage: 409 });
  onChange('halt', changes.halt, ({ reason }) => control.halt(reason));
  onChange('resume', changes.resume, async ({ at }) => {
    const halt = await readHalt(db);
    if (halt !== null && halt.at !== at) {
      throw new UsageError(`the fleet is halted for another reason by now: ${halt.reason}; look at it first`);
    }
    return control.resume();
  });
  onChange('budget', changes.budget, async ({ limitUsd, scope, dryRun }) =>
    dryRun ? { released: await previewBudget({ db, queues }, limitUsd, scope) } : control.budget.set(limitUsd, scope),
  );
  return router;
}

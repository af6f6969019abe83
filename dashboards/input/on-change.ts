import { json, type Router } from 'express';
import type { z } from 'zod';
import { toRules } from '../../src/jobs/contract.ts';
import type { Logger } from '../../src/process/logger.ts';
import type { Db } from '../../src/redis/db.ts';
import { refuseRule } from '../access/refuse-rule.ts';
import { refuse } from '../access/request-checks.ts';

export interface ChangeParts {
  router: Router;
  /** Its actor is who the audit says has changed something: what `decide` calls notes it. */
  db: Db;
  log: Logger;
  /** What the changes are about, as programs read it in a refusal: `rule`. */
  about: string;
  /** Address of what is changed: `/api/rules/:name`. */
  path: string;
  /** Longest body. Default 100 kB. */
  limit?: string;
  /** Status of the answer to what breaks a rule. Default 400. */
  usage?: 400 | 409;
}

/** @param decide does what the body asks, which its schema has checked; `name`: the part of the address. Its result is the answer */
export type OnChange = <Body>(
  action: string,
  schema: z.ZodType<Body>,
  decide: (body: Body, name: string) => Promise<unknown>,
) => void;

/** Creates the addresses of what a person decides in a page: `<path>/<action>`. */
export function createOnChange({ router, db, log, about, path, limit = '100kb', usage = 400 }: ChangeParts): OnChange {
  return (action, schema, decide) => {
    router.post(`${path}/${action}`, json({ limit }), async (request, response) => {
      const body = schema.safeParse(request.body);
      if (!body.success) return refuse(response, 400, 'body', toRules(body.error));
      const [name = ''] = Object.values<string>(request.params);
      try {
        const result = await decide(body.data, name);
        if (!isDryRun(body.data)) log.info({ about, name, action }, 'a person decided in a page');
        response.json(result);
      } catch (error) {
        refuseRule(response, error, { db, about, usage });
      }
    });
  };
}

/** It only tells what would happen. */
function isDryRun(body: unknown): boolean {
  return Reflect.get(Object(body), 'dryRun') === true;
}

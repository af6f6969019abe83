import type { Response } from 'express';
import { FleetError, NotFoundError, UsageError } from '../../src/errors.ts';
import type { Db } from '../../src/redis/db.ts';
import { refuse } from './request-checks.ts';
import { toVisible } from './visible-text.ts';

/**
 * Answers with the rule that a request breaks: 404 for what does not exist, `usage` for a wrong value, 409 for what cannot be now.
 * @param about what the request is about, as programs read it
 * @throws what is no rule of the fleet, and every error while Redis is away
 */
export function refuseRule(
  response: Response,
  error: unknown,
  { db, about, usage = 400 }: { db: Db; about: string; usage?: 400 | 409 },
): void {
  if (!(error instanceof FleetError) || db.redis.status !== 'ready') throw error;
  const status = error instanceof NotFoundError ? 404 : error instanceof UsageError ? usage : 409;
  refuse(response, status, about, toVisible(error.message));
}

import type { Request, Response } from 'express';
import { z } from 'zod';
import { UsageError } from '../../src/errors.ts';
import { toRules } from '../../src/jobs/contract.ts';
import { refuse } from '../access/request-checks.ts';
import { toVisible } from '../access/visible-text.ts';

const LIMIT_RULE = 'expected 1..200';

/** How many entries a list has. @param otherwise without the field */
export function limitField(otherwise: number) {
  return z.coerce.number(LIMIT_RULE).int(LIMIT_RULE).min(1, LIMIT_RULE).max(200, LIMIT_RULE).default(otherwise);
}

/**
 * Parses the query of an address. A field that it may not have is refused: the answer would not be what was asked for.
 * @throws UsageError naming the field and the rule that it breaks
 */
export function parseQuery<Shape extends z.ZodRawShape>(
  shape: Shape,
  query: unknown,
): z.output<z.ZodObject<Shape, z.core.$strict>> {
  const parsed = z.strictObject(shape).safeParse(query);
  if (parsed.success) return parsed.data;
  throw new UsageError(toRules(parsed.error));
}

/** As `parseQuery`, for a route with no other rule. @returns null: the request was refused */
export function readQuery<Shape extends z.ZodRawShape>(
  shape: Shape,
  request: Request,
  response: Response,
): z.output<z.ZodObject<Shape, z.core.$strict>> | null {
  try {
    return parseQuery(shape, request.query);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    refuse(response, 400, 'query', toVisible(error.message));
    return null;
  }
}

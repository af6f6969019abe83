import { z } from 'zod';
import { UsageError } from '../../src/errors.ts';
import { assertJobFilter } from '../../src/jobs/find/check-filter.ts';
import type { JobFilter, ListedState, PageLimits } from '../../src/jobs/find/types.ts';
import { limitField, parseQuery } from '../input/parse-query.ts';
import { parseSinceField } from '../input/since-field.ts';

/** Jobs of one page without `limit`. */
const PAGE_JOBS = 50;

const text = z.string().max(400);

/** The filters as an address has them: the names of the options of `fleet jobs`. A field that is empty filters nothing. */
const fields = {
  words: text.optional(),
  /** Several: `failed,parked`. */
  state: text.optional(),
  reason: text.optional(),
  batch: text.optional(),
  mission: text.optional(),
  model: text.optional(),
  worker: text.optional(),
  client: text.optional(),
  session: text.optional(),
  since: text.optional(),
  'cost-above': text.optional(),
  limit: limitField(PAGE_JOBS),
  cursor: z.string().max(64_000).optional(),
};

/**
 * @param query of the address
 * @param now ms since 1970, by Redis' clock
 * @throws UsageError naming the field and the rule that it breaks
 */
export function parseJobQuery(query: unknown, now: number): { filter: JobFilter; limits: PageLimits } {
  const parsed = parseQuery(fields, query);
  const given = Object.entries(parsed).filter(([, value]) => String(value).trim() !== '');
  const { state, since, limit, cursor, 'cost-above': costAbove, ...names } = Object.fromEntries(given) as typeof parsed;
  const filter: JobFilter = {
    ...names,
    ...(state === undefined ? {} : { state: state.split(',').map((name) => name.trim() as ListedState) }),
    ...(since === undefined ? {} : { since: parseSinceField(since, now) }),
    ...(costAbove === undefined ? {} : { costAboveUsd: costAbove.replace(/^\$/, '') }),
  };
  assertFilter(filter);
  return { filter, limits: { limit, ...(cursor === undefined ? {} : { cursor }) } };
}

function assertFilter(filter: JobFilter): void {
  try {
    assertJobFilter(filter);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(error.message.replace(/^costAboveUsd:/, 'cost-above:')) : error;
  }
}

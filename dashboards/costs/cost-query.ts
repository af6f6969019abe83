import { z } from 'zod';
import { REPORT_DIMENSIONS, type ReportDimension } from '../../src/ledger/report/types.ts';
import { parseQuery } from '../input/parse-query.ts';

const name = z.string().max(400).optional();

/** The names of the options of `fleet costs`: one row for each value of `by`, limited to the values of the other fields. */
const fields = {
  by: z.enum(REPORT_DIMENSIONS, `expected one of ${REPORT_DIMENSIONS.join(', ')}`).default('day'),
  ...(Object.fromEntries(REPORT_DIMENSIONS.map((dimension) => [dimension, name])) as Record<
    ReportDimension,
    typeof name
  >),
};

/**
 * @param query of the address. A field that is empty filters nothing
 * @throws UsageError naming the field and the rule that it breaks
 */
export function parseCostQuery(query: unknown): {
  by: ReportDimension;
  only: Partial<Record<ReportDimension, string>>;
} {
  const { by, ...given } = parseQuery(fields, query);
  return { by, only: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== '')) };
}

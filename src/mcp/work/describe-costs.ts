import { z } from 'zod';
import { REPORT_DIMENSIONS, type CostRow } from '../../ledger/report/types.ts';
import { formatUsd } from '../../pricing/money.ts';
import type { ToolCall } from '../tool/types.ts';
import { formatCost } from '../../pricing/free-local.ts';
import { NO_NAME } from '../../ledger/report/render.ts';

const MOST_ROWS = 25;

/** The report of costs that a client asks for. */
export const costsInput = z.strictObject({
  by: z.enum(REPORT_DIMENSIONS).default('session'),
  only: z.record(z.string(), z.string()).optional(),
});

const row = z.object({
  name: z.string(),
  tasks: z.int(),
  usd: z.string(),
  saved_percent: z.number(),
});

/** The report as an answer: days from the newest, others from the dearest; the last row is the total. */
export const costsOutput = z.object({
  rows: z.array(row),
  more_rows: z.int().optional(),
  day_left_usd: z.string().optional(),
});

/** Reads what was spent, and what is left of the day's budget. */
export async function describeCosts(
  { fleet }: ToolCall,
  { by, only }: z.output<typeof costsInput>,
): Promise<z.input<typeof costsOutput>> {
  const [report, day] = await Promise.all([
    fleet.costs({ by, ...(only === undefined ? {} : { only }) }), // which refuses other dimensions,
    fleet.budget.read(),
  ]);
  const rows = by === 'day' ? report.rows.toReversed() : report.rows;
  return {
    rows: [...rows.slice(0, MOST_ROWS).map((one) => toRow(one)), toRow({ ...report.total, name: 'total' })],
    ...(rows.length > MOST_ROWS ? { more_rows: rows.length - MOST_ROWS } : {}),
    ...(day.leftNanoUsd === null ? {} : { day_left_usd: formatUsd(day.leftNanoUsd, 4) }),
  };
}

function toRow({ name, tasks, calls, costNano, savedPercent, freeLocalCalls }: CostRow): z.input<typeof row> {
  const shown = (name ?? NO_NAME).slice(0, 120);
  return {
    name: shown,
    tasks,
    usd: formatCost(costNano, 4, calls > 0 && calls === freeLocalCalls),
    saved_percent: Math.round(savedPercent * 10) / 10,
  };
}

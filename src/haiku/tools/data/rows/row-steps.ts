import { z } from 'zod';
import { compareDecimals, compareText, toDecimal } from './decimal.ts';
import { fromTable, requireCells, type RowSource, type Table } from './row-source.ts';
import { isBlank, OPERATORS, toTest, toText } from './rules.ts';

/** The steps that transform rows. They run in this order: where, group_count, sort_by, limit, select. */
export const rowStepsSchema = z.strictObject({
  where: z
    .array(
      z.strictObject({
        field: z.string(),
        op: z.enum(OPERATORS),
        value: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
      }),
    )
    .max(20)
    .optional()
    .describe('all must hold. eq 7 also keeps "007" and 7.0, eq "007" that text alone; null is blank'),
  group_count: z.string().optional().describe('count the rows of each value: gives {<field>, count}, most first'),
  sort_by: z.string().optional().describe('as numbers if all are numbers, else as text; blank last'),
  descending: z.boolean().optional(),
  limit: z.int().min(0).optional(),
  select: z.array(z.string()).min(1).max(200).optional().describe('fields to keep, in this order'),
});
export type RowSteps = z.output<typeof rowStepsSchema>;

/** Some rows of a source, in an order of their own. */
export interface Selection {
  source: RowSource;
  rows: number[];
}

/** @throws ToolRefusal for a field that there is not, and for a rule that cannot hold */
export function takeSteps(source: RowSource, steps: RowSteps): Selection {
  const { group_count: group, sort_by: sort, descending = false, limit, select } = steps;
  let selection = keepWhere(source, steps.where ?? []);
  if (group !== undefined) selection = countBy(selection, group);
  if (sort !== undefined) selection = sortBy(selection, sort, descending);
  selection = { ...selection, rows: selection.rows.slice(0, limit) };
  return select === undefined ? selection : selectFields(selection, select);
}

function keepWhere(source: RowSource, rules: NonNullable<RowSteps['where']>): Selection {
  const tests = rules.map((rule) => {
    const [read, test] = [source.find(rule.field, 'where'), toTest(rule)];
    return (row: number) => test(read(row));
  });
  const every = Array.from({ length: source.count }, (_, row) => row);
  return { source, rows: tests.length === 0 ? every : every.filter((row) => tests.every((test) => test(row))) };
}

/** Numbers are one value however they are written; a number and a text are two. */
function countBy({ source, rows }: Selection, field: string): Selection {
  const read = source.find(field, 'group_count');
  const counts = new Map<string, { value: unknown; count: number }>();
  for (const row of rows) {
    const value = read(row) ?? null;
    const key = toKey(value);
    const entry = counts.get(key) ?? { value, count: 0 };
    entry.count += 1;
    counts.set(key, entry);
  }
  const counted = [...counts.values()].toSorted((a, b) => b.count - a.count);
  return all({ columns: [field, 'count'], rows: counted.map(({ value, count }) => [value, count]) });
}

function toKey(value: unknown): string {
  if (typeof value === 'string') return `text ${value}`;
  const number = toDecimal(value);
  return number === null ? `json ${toText(value)}` : `number ${number.sign} ${number.digits}e${number.exponent}`;
}

/** Rows with equal values stay in their order, also if `descending`. */
function sortBy({ source, rows }: Selection, field: string, descending: boolean): Selection {
  const read = source.find(field, 'sort_by');
  const keys = rows.map((row) => ({ row, value: read(row) }));
  const [blank, filled] = [keys.filter(({ value }) => isBlank(value)), keys.filter(({ value }) => !isBlank(value))];
  const numbers = filled.flatMap(({ row, value }) => {
    const number = toDecimal(value);
    return number === null ? [] : [{ row, number }];
  });
  const direction = descending ? -1 : 1;
  const sorted =
    numbers.length === filled.length
      ? numbers.toSorted((a, b) => direction * compareDecimals(a.number, b.number))
      : filled
          .map(({ row, value }) => ({ row, text: toText(value) }))
          .toSorted((a, b) => direction * compareText(a.text, b.text));
  return { source, rows: [...sorted, ...blank].map(({ row }) => row) };
}

function selectFields({ source, rows }: Selection, fields: string[]): Selection {
  const readers = fields.map((field) => source.find(field, 'select'));
  requireCells(rows.length, fields.length);
  return all({ columns: fields, rows: rows.map((row) => readers.map((read) => read(row) ?? null)) });
}

function all(table: Table): Selection {
  return { source: fromTable(table), rows: table.rows.map((_, row) => row) };
}

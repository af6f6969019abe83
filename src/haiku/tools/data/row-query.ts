import { z } from 'zod';
import { ToolRefusal } from '../tool-refusal.ts';

/** One row: a JSON object, or a line of a CSV file with the header's names. */
export type Row = Record<string, unknown>;

const operators = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'contains', 'exists'] as const;

/** The steps that transform rows. They run in this order: where, group_count, sort_by, limit, select. */
export const rowStepsSchema = z.strictObject({
  where: z
    .array(
      z.strictObject({
        field: z.string(),
        op: z.enum(operators),
        value: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
      }),
    )
    .max(20)
    .optional()
    .describe('all must hold; numbers compare as numbers'),
  group_count: z.string().optional().describe('count rows by this field: gives rows {<field>, count}'),
  sort_by: z.string().optional(),
  descending: z.boolean().optional(),
  limit: z.int().min(0).optional(),
  select: z.array(z.string()).min(1).max(200).optional().describe('fields to keep, in this order'),
});
export type RowSteps = z.output<typeof rowStepsSchema>;

export function transformRows(rows: Row[], steps: RowSteps): Row[] {
  const kept = rows.filter((row) => (steps.where ?? []).every((rule) => holds(getField(row, rule.field), rule)));
  const counted = steps.group_count === undefined ? kept : countBy(kept, steps.group_count);
  const sorted = steps.sort_by === undefined ? counted : sortBy(counted, steps.sort_by, steps.descending ?? false);
  const few = sorted.slice(0, steps.limit);
  const { select } = steps;
  if (select === undefined) return few;
  return few.map((row) => Object.fromEntries(select.map((field) => [field, getField(row, field) ?? null])));
}

/** @throws ToolRefusal unless the value is a list of objects */
export function toRows(value: unknown, what: string): Row[] {
  if (!Array.isArray(value) || !value.every(isRow)) {
    throw new ToolRefusal(
      `${what}: expected a list of objects; name the list with "path", e.g. "items" or "data.rows"`,
    );
  }
  return value;
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the part of a value at a path (`a.b.0`), through own properties only; undefined: there is none. */
export function getPath(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.').filter(Boolean)) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = Object.getOwnPropertyDescriptor(found, name)?.value;
  }
  return found;
}

/** Looks a field up by its whole name first, then as a path: names in a CSV header may hold dots. */
function getField(row: Row, field: string): unknown {
  return Object.hasOwn(row, field) ? row[field] : getPath(row, field);
}

type Rule = NonNullable<RowSteps['where']>[number];

function holds(found: unknown, { op, value }: Rule): boolean {
  switch (op) {
    case 'exists':
      return (found !== undefined && found !== null && found !== '') === (value ?? true);
    case 'contains':
      return Array.isArray(found) ? found.includes(value) : toText(found).includes(toText(value));
    case 'eq':
      return isEqual(found, value);
    case 'ne':
      return !isEqual(found, value);
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte': {
      if (found === undefined || found === null || found === '') return false;
      const order = compare(found, value);
      return op === 'lt' ? order < 0 : op === 'lte' ? order <= 0 : op === 'gt' ? order > 0 : order >= 0;
    }
  }
}

function isEqual(left: unknown, right: unknown): boolean {
  return (left ?? null) === (right ?? null) || (left !== undefined && left !== null && compare(left, right) === 0);
}

function sortBy(rows: Row[], field: string, isDescending: boolean): Row[] {
  const direction = isDescending ? -1 : 1;
  return rows.toSorted((left, right) => direction * compare(getField(left, field), getField(right, field)));
}

/** Compares as numbers if both values are numbers or texts of numbers (a CSV has only text), else as text. */
function compare(left: unknown, right: unknown): number {
  const [a, b] = [toNumber(left), toNumber(right)];
  if (a !== null && b !== null) return a - b;
  const [x, y] = [toText(left), toText(right)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function toNumber(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return null;
  const number = Number(value);
  return Number.isNaN(number) ? null : number;
}

/** Returns the text of a CSV cell. */
export function toText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function countBy(rows: Row[], field: string): Row[] {
  const counts = new Map<string, { value: unknown; count: number }>();
  for (const row of rows) {
    const value = getField(row, field) ?? null;
    const key = toText(value);
    const entry = counts.get(key) ?? { value, count: 0 };
    entry.count += 1;
    counts.set(key, entry);
  }
  const counted = [...counts.values()].map(({ value, count }) =>
    Object.fromEntries([
      [field, value],
      ['count', count],
    ]),
  );
  return counted.toSorted((left, right) => Number(right['count']) - Number(left['count']));
}

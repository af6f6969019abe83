import { JsonObject } from '../../../../text/json-values.ts';
import { ToolRefusal } from '../../tool-refusal.ts';
import { findPath } from './json-path.ts';
import { listNames, requireCells, unknownField, type RowSource } from '../rows/row-source.ts';

/** @throws ToolRefusal unless the value is a list of objects */
export function fromJson(value: unknown, what: string): RowSource {
  if (!Array.isArray(value) || !value.every(isObject)) {
    throw new ToolRefusal(`${what}: expected a list of objects, found ${describe(value)}`);
  }
  const rows: JsonObject[] = value;
  const pick = (numbers: number[]): JsonObject[] => numbers.flatMap((row) => rows[row] ?? []);
  return {
    count: rows.length,
    find(field, step) {
      const read = (row: JsonObject | undefined): unknown => findPath(row, field).value;
      if (rows.length > 0 && !rows.some((row) => read(row) !== undefined)) {
        throw unknownField(field, step, [...new Set(rows.flatMap(({ names }) => names))], '');
      }
      return (row) => read(rows[row]);
    },
    toObjects: pick,
    toTable(numbers) {
      const kept = pick(numbers);
      const plan = planColumns(kept.length === 0 ? rows : kept); // a filter that keeps no row keeps the header
      if (plan.columns.length === 0 && kept.length > 0) throw new ToolRefusal(`${what}: the objects have no fields`);
      requireCells(kept.length, plan.columns.length);
      return { columns: plan.columns, rows: kept.map((row) => plan.toCells(row)) };
    },
  };
}

/** Gives each field of the rows a column, in the order of their first use; a second field of one name gets a column of its own. */
function planColumns(rows: JsonObject[]): { columns: string[]; toCells(row: JsonObject): unknown[] } {
  const numbers = new Map<string, number>();
  const columns: string[] = [];
  const places = new Map<string[], number[]>(); // by the list of names, which rows of one kind share
  for (const { names } of rows) {
    if (places.has(names)) continue;
    const counts = new Map<string, number>();
    const toPlace = (name: string): number => {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      const key = `${count} ${name}`;
      const place = numbers.get(key) ?? columns.push(name) - 1;
      numbers.set(key, place);
      return place;
    };
    places.set(names, names.map(toPlace));
  }
  return {
    columns,
    toCells({ names, values }) {
      const cells = Array.from<unknown>({ length: columns.length });
      for (const [i, place] of (places.get(names) ?? []).entries()) cells[place] = values[i];
      return cells;
    },
  };
}

function isObject(value: unknown): value is JsonObject {
  return value instanceof JsonObject;
}

function describe(value: unknown): string {
  if (value instanceof JsonObject) {
    return `one object with ${listNames(value.names)}; name the list in it with "path", e.g. "items" or "data.rows"`;
  }
  if (!Array.isArray(value)) return 'a single value; name the list with "path", e.g. "items" or "data.rows"';
  const at = value.findIndex((item) => !isObject(item));
  return `a list whose item ${at} is none; the steps work on objects alone`;
}

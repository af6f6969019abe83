import { JsonObject } from '../../../../text/json-values.ts';
import { ToolRefusal } from '../../tool-refusal.ts';

/** Rows, each known by its number from 0, and how their fields are found. */
export interface RowSource {
  count: number;
  /**
   * @param step for the message, e.g. `sort_by`
   * @returns reads the field of a row; undefined: the row has none
   * @throws ToolRefusal for a field that no row has, naming those that there are
   */
  find(field: string, step: string): (row: number) => unknown;
  /** As objects with one field of a name. */
  toObjects(rows: number[]): JsonObject[];
  toTable(rows: number[]): Table;
}

/** Columns with names that may repeat, and one cell for each in every row. */
export interface Table {
  columns: string[];
  rows: unknown[][];
}

/** Most cells of a table that is made of rows whose fields differ: rows × columns. */
const MOST_CELLS = 5_000_000;

/** @throws ToolRefusal for a table that would be far larger than the data it is made of */
export function requireCells(rows: number, columns: number): void {
  if (rows * columns <= MOST_CELLS) return;
  throw new ToolRefusal(
    `${rows} rows × ${columns} columns are more than ${MOST_CELLS} cells; select fewer fields, or keep fewer rows with where or limit`,
  );
}

/** @param hint added to the message about an unknown column */
export function fromTable({ columns, rows }: Table, hint: string = ''): RowSource {
  const pick = (numbers: number[]): unknown[][] => numbers.map((row) => rows[row] ?? []);
  return {
    count: rows.length,
    find(field, step) {
      const at = findColumn(columns, field, step);
      if (at === null) throw unknownField(field, step, columns, hint);
      return (row) => rows[row]?.[at];
    },
    toObjects(numbers) {
      const names = toUniqueNames(columns);
      return pick(numbers).map((row) => new JsonObject(names, row));
    },
    toTable: (numbers) => ({ columns, rows: pick(numbers) }),
  };
}

function findColumn(columns: string[], field: string, step: string): number | null {
  const at = columns.indexOf(field);
  if (at !== -1) {
    const count = columns.filter((name) => name === field).length;
    if (count === 1) return at;
    const shown = JSON.stringify(field);
    throw new ToolRefusal(
      `${step}: ${count} columns are named ${shown}; name one by its number: ${JSON.stringify(`${field}#1`)} to ${JSON.stringify(`${field}#${count}`)}`,
    );
  }
  const [, name, number] = /^(.*)#([1-9]\d*)$/s.exec(field) ?? [];
  const same = columns.flatMap((column, i) => (column === name ? [i] : []));
  return same[Number(number) - 1] ?? null;
}

/** `a, b, a` becomes `a, b, a#2`. */
function toUniqueNames(columns: string[]): string[] {
  const taken = new Set(columns);
  const counts = new Map<string, number>();
  return columns.map((name) => {
    let count = (counts.get(name) ?? 0) + 1;
    while (count > 1 && taken.has(`${name}#${count}`)) count += 1;
    counts.set(name, count);
    const unique = count === 1 ? name : `${name}#${count}`;
    taken.add(unique);
    return unique;
  });
}

export function unknownField(field: string, step: string, known: readonly string[], hint: string): ToolRefusal {
  return new ToolRefusal(`${step}: there is no ${JSON.stringify(field)}; there are ${listNames(known)}${hint}`);
}

/** Most names that a message lists, and the longest of them. */
const [MOST_NAMES, LONGEST_NAME] = [30, 100];

export function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'no fields';
  const shown = names.slice(0, MOST_NAMES).map((name) => JSON.stringify(name.slice(0, LONGEST_NAME)));
  return `${shown.join(', ')}${names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : ''}`;
}

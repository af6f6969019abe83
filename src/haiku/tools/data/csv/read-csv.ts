import { CsvError, parse } from 'csv-parse/sync';
import { ToolRefusal } from '../../tool-refusal.ts';
import { findDelimiters, findLayout, type CsvLayout } from './csv-layout.ts';
import { countOf } from '../../../../text/plural.ts';
import type { Table } from '../rows/row-source.ts';

export interface CsvOptions {
  /** Undefined: the first of `,` `;` tab `|` by which the header has two columns and every line as many cells; else `,`. */
  delimiter?: string | undefined;
  /** Tried first where `delimiter` is undefined. */
  likely?: string | undefined;
  /** False: the columns are named `1`, `2`, …. */
  hasHeader: boolean;
}

export interface CsvText {
  table: Table;
  delimiter: string;
  lineBreak: CsvLayout['lineBreak'];
  /** Where the delimiter may be wrong, a note about it for messages; else ''. */
  hint: string;
}

/**
 * Reads CSV: every cell as it is, and every header, in order. Blank lines are skipped; in a table of one column those before the
 * last cell are blank cells.
 * @param text without a byte order mark
 * @throws ToolRefusal that names the line
 */
export function readCsv(text: string, options: CsvOptions, what: string): CsvText {
  if (!text.isWellFormed()) throw new ToolRefusal(`${what}: holds half a surrogate pair, which no CSV file can hold`);
  const layout = findLayout(text);
  if (layout.header === '') throw new ToolRefusal(`${what}: is empty; expected a line with the names of the columns`);
  const held = findDelimiters(layout.header);
  const fitting = options.delimiter === undefined ? findFitting(text, layout, sortBy(held, options.likely)) : undefined;
  const delimiter = options.delimiter ?? fitting?.delimiter ?? guess(text, layout, held);
  const note = toNote(held, delimiter);
  const records = fitting?.records ?? readOrRefuse(text, layout, delimiter, { what, note });
  const [first = []] = records;
  const hint = first.length === 1 ? note : '';
  if (hint !== '' && findFitting(text, layout, held) !== undefined)
    throw new ToolRefusal(`${what}: has one column${hint}`);
  const table = options.hasHeader
    ? { columns: first, rows: records.slice(1) }
    : { columns: first.map((_, i) => String(i + 1)), rows: records };
  return { table, delimiter, lineBreak: layout.lineBreak, hint };
}

function sortBy(held: string[], likely: string | undefined): string[] {
  return held.toSorted((a, b) => Number(b === likely) - Number(a === likely));
}

function toNote(held: string[], delimiter: string): string {
  const other = held.find((one) => one !== delimiter);
  if (other === undefined) return delimiter === ',' ? '' : '; if the file has one column, set "delimiter" to ","';
  const shown = JSON.stringify(other);
  return `; the header looks separated by ${shown}: if so, set "delimiter" to ${shown}`;
}

/** Where none fits, the one in the first two lines: its lines have unlike numbers of cells, which is refused. */
function guess(text: string, layout: CsvLayout, held: string[]): string {
  if (held.includes(',')) return ',';
  const rest = text.slice(text.indexOf(layout.header) + layout.header.length).trimStart();
  const line = rest.slice(0, /[\r\n]|$/.exec(rest)?.index);
  return held.find((delimiter) => line.includes(delimiter)) ?? ',';
}

function findFitting(
  text: string,
  layout: CsvLayout,
  candidates: string[],
): { delimiter: string; records: string[][] } | undefined {
  for (const delimiter of candidates) {
    try {
      const records = readRecords(text, layout, delimiter);
      if ((records[0]?.length ?? 0) > 1) return { delimiter, records };
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
    }
  }
  return undefined;
}

function readOrRefuse(
  text: string,
  layout: CsvLayout,
  delimiter: string,
  { what, note }: { what: string; note: string },
): string[][] {
  try {
    return readRecords(text, layout, delimiter);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = Number(error['lines']) + layout.skipped;
    const { record } = error;
    const problem = Array.isArray(record)
      ? `line ${line} has ${countOf(record.length, 'cell')}, the first line has ${countCells(layout, delimiter)}`
      : `line ${line}: ${(error.message.split(/:? at line | on line /)[0] ?? '').toLowerCase()}`;
    throw new ToolRefusal(`${what}: is not CSV: ${problem}${note}`, { cause: error });
  }
}

function readRecords(text: string, layout: CsvLayout, delimiter: string): string[][] {
  const options = { delimiter, record_delimiter: layout.lineBreak === '\r' ? '\r' : ['\r\n', '\n'] };
  const isWide = countCells(layout, delimiter) > 1;
  return parse(trimBlankLines(text), { ...options, skip_empty_lines: isWide });
}

function countCells({ header }: CsvLayout, delimiter: string): number {
  return parse(header, { delimiter, record_delimiter: '\n' })[0]?.length ?? 0;
}

/** Without the blank lines at both ends. */
function trimBlankLines(text: string): string {
  let [from, end] = [0, text.length];
  while (text[from] === '\n' || text[from] === '\r') from += 1;
  while (text[end - 1] === '\n' || text[end - 1] === '\r') end -= 1;
  return text.slice(from, end);
}

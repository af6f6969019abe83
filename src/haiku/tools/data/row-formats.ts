import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { ToolRefusal } from '../tool-refusal.ts';
import { toText, type Row } from './row-query.ts';

/** @throws ToolRefusal that names the line that is not CSV */
export function parseCsv(text: string, delimiter: string, what: string): Row[] {
  try {
    return parse<Row>(text, { columns: true, bom: true, delimiter, skip_empty_lines: true, relax_column_count: false });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ToolRefusal(`${what}: is not CSV with a header line: ${error.message}`, { cause: error });
  }
}

/** @throws ToolRefusal with the parser's message */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ToolRefusal(`${what}: is not JSON: ${error.message}`, { cause: error });
  }
}

/** The columns are the fields of all rows, in the order of their first use. Quotes by RFC 4180; `\n` ends a line. */
export function toCsv(rows: Row[], delimiter: string): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, ...rows.map((row) => columns.map((column) => toText(row[column])))];
  return stringify(lines, { delimiter, record_delimiter: '\n', quoted_match: /[\r\n]/ }); // by default a lone \r is not quoted
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { ToolRefusal } from '../tool-refusal.ts';
import { toText, type Row } from './row-query.ts';

/** @throws ToolRefusal naming the line that is not CSV */
export function parseCsv(text: string, delimiter: string, what: string): Row[] {
  try {
    return parse<Row>(text, { columns: true, bom: true, delimiter, skip_empty_lines: true, relax_column_count: false });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ToolRefusal(`${what}: is not CSV with a header line: ${error.message}`, { cause: error });
  }
}

/** @throws ToolRefusal with the parser's words */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ToolRefusal(`${what}: is not JSON: ${error.message}`, { cause: error });
  }
}

/** The columns are all fields of all rows, in the order they first appear. RFC 4180 quoting, `\n` between lines. */
export function toCsv(rows: Row[], delimiter: string): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, ...rows.map((row) => columns.map((column) => toText(row[column])))];
  return stringify(lines, { delimiter, record_delimiter: '\n', quoted_match: /[\r\n]/ }); // by default a lone \r is not quoted
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

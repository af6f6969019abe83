import { ToolRefusal } from '../../tool-refusal.ts';
import { DELIMITERS } from './csv-layout.ts';
import type { Table } from '../rows/row-source.ts';
import { toText } from '../rows/rules.ts';

export interface CsvStyle {
  delimiter: string;
  lineBreak: string;
  hasHeader: boolean;
}

/**
 * Writes CSV by RFC 4180, with quotes only where a reader needs them: so few that a line which was not changed looks as before.
 * @throws ToolRefusal for a cell that no UTF-8 file can hold
 */
export function writeCsv({ columns, rows }: Table, { delimiter, lineBreak, hasHeader }: CsvStyle): string {
  if (columns.length === 0) return '';
  const isAlone = columns.length === 1; // a blank cell would be a blank line
  const toLine = (row: unknown[], special: RegExp): string => {
    const cells = row.map((value) => {
      const cell = toText(value);
      return special.test(cell) || (cell === '' && isAlone) ? `"${cell.replaceAll('"', '""')}"` : cell;
    });
    return cells.join(delimiter) + lineBreak;
  };
  const special = toSpecial([delimiter]);
  const [first, rest] = hasHeader ? [columns, rows] : [rows[0], rows.slice(1)];
  const begin = first === undefined ? '' : toLine(first, toSpecial([delimiter, ...DELIMITERS])); // there a reader looks for the delimiter
  const text = begin + rest.map((row) => toLine(row, special)).join('');
  if (text.isWellFormed()) return text;
  throw new ToolRefusal('a cell holds half a surrogate pair, which no CSV file can hold; write JSON instead');
}

/** What needs quotes: a delimiter, quotes, line ends, and what would be read as a byte order mark. */
function toSpecial(delimiters: string[]): RegExp {
  const signs = delimiters.map((sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);
  return new RegExp(`["\\r\\n${signs.join('')}]|^\\uFEFF`, 'u');
}

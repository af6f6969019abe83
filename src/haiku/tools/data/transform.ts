import { decodeText } from '../../../text/decode-text.ts';
import { ToolRefusal } from '../tool-refusal.ts';
import { fromJson } from './json/json-rows.ts';
import { findPath } from './json/json-path.ts';
import { readJsonText, toJson, toJsonLines } from './json/json-text.ts';
import { JsonObject } from '../../../text/json-values.ts';
import { countOf } from '../../../text/plural.ts';
import { readCsv } from './csv/read-csv.ts';
import { fromTable, listNames, type RowSource } from './rows/row-source.ts';
import { takeSteps, type RowSteps } from './rows/row-steps.ts';
import { writeCsv, type CsvStyle } from './csv/write-csv.ts';

/** What a transform tool asks for. It is copied to the process that does the work. */
export interface TransformRequest {
  /** The bytes of a file, or the text that the model gave. */
  source: Uint8Array | string;
  /** The file, or `data`, for messages. */
  name: string;
  steps: RowSteps;
  to: 'json' | 'jsonl' | 'csv';
}

export interface JsonRequest extends TransformRequest {
  path: string;
  /** Whether the file is named as JSON lines. */
  isLines: boolean;
}

export interface CsvRequest extends TransformRequest {
  delimiter: string | undefined;
  likely: string | undefined;
  hasHeader: boolean;
}

export interface Transformed {
  text: string;
  /** What a message tells about it, beside its size: `3 rows`. */
  said: string;
}

/** Picks a part of JSON or JSON lines, and takes the steps. @throws ToolRefusal */
export function transformJson(request: JsonRequest): Transformed {
  const { name, path, steps, to } = request;
  const { text } = toPlainText(request);
  const whole = readJsonText(text, request.isLines, name);
  const found = findPath(whole, path);
  if (found.value === undefined) {
    throw new ToolRefusal(`${name}: has nothing at path ${JSON.stringify(path)}: ${describe(found.at, found.rest)}`);
  }
  const hasSteps = Object.values(steps).some((step) => step !== undefined);
  if (hasSteps || to === 'csv') return deliverRows(fromJson(found.value, name), request, CSV_STYLE);
  return to === 'jsonl'
    ? { text: toJsonLines(found.value, name), said: toCount(found.value) }
    : { text: toJson(found.value), said: toCount(found.value) };
}

/** Takes the steps with the rows of a CSV. The result keeps delimiter, line ends and byte order mark. @throws ToolRefusal */
export function transformCsv(request: CsvRequest): Transformed {
  const { hasHeader } = request;
  const { text, hasMark } = toPlainText(request);
  const { table, delimiter, lineBreak, hint } = readCsv(text, request, request.name);
  const style = { delimiter, lineBreak: lineBreak === '\r' ? '\n' : lineBreak, hasHeader };
  const done = deliverRows(fromTable(table, hint), request, style);
  return request.to === 'csv' && hasMark ? { ...done, text: `${MARK}${done.text}` } : done;
}

const MARK = '\uFEFF';
const CSV_STYLE = { delimiter: ',', lineBreak: '\n', hasHeader: true };

function deliverRows(source: RowSource, { name, steps, to }: TransformRequest, style: CsvStyle): Transformed {
  const selection = takeSteps(source, steps);
  const said = countOf(selection.rows.length, 'row');
  if (to === 'csv') return { text: writeCsv(selection.source.toTable(selection.rows), style), said };
  const objects = selection.source.toObjects(selection.rows);
  return { text: to === 'json' ? toJson(objects) : toJsonLines(objects, name), said };
}

/** A mark in text that the model gave is dropped; in a file it belongs to the file. */
function toPlainText({ source, name }: TransformRequest): { text: string; hasMark: boolean } {
  if (typeof source === 'string') return { text: source.startsWith(MARK) ? source.slice(1) : source, hasMark: false };
  const decoded = decodeText(Buffer.from(source.buffer, source.byteOffset, source.byteLength));
  if (decoded.text === null) throw new ToolRefusal(`${name}: ${decoded.problem}`);
  return { text: decoded.text, hasMark: decoded.hasMark };
}

function describe(at: unknown, rest: string): string {
  const missing = JSON.stringify(rest);
  if (at instanceof JsonObject) return `no ${missing} among ${listNames(at.names)}`;
  return Array.isArray(at)
    ? `no ${missing} in a list of ${at.length} items; name one by its number from 0, e.g. "items.0"`
    : `no ${missing} in a single value`;
}

function toCount(value: unknown): string {
  return Array.isArray(value) ? countOf(value.length, 'row') : 'one value';
}

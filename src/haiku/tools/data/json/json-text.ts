import { ToolRefusal } from '../../tool-refusal.ts';
import { parseAsWritten, stringifyExact } from '../../../../text/exact-json.ts';
import { JsonTextError } from '../../../../text/json-reader.ts';

/**
 * Reads JSON, or JSON lines as a list of their values. Text is JSON lines if its file is named like it, or if it is no JSON but its
 * first line is.
 * @param isLines whether the file is named `.jsonl` or `.ndjson`; such a file may also hold one JSON value over many lines
 * @throws ToolRefusal with line, column and reason
 */
export function readJsonText(text: string, isLines: boolean, what: string): unknown {
  if (isLines) return readLines(text, what, () => parseAsWritten(text));
  try {
    return parseAsWritten(text);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    const refusal = new ToolRefusal(`${what}: is not JSON: ${error.message}`, { cause: error });
    if (!hasFirstValue(text)) throw refusal;
    return readLines(text, what, () => {
      throw error;
    });
  }
}

/** @throws ToolRefusal unless the value is a list */
export function toJsonLines(value: unknown, what: string): string {
  if (!Array.isArray(value)) throw new ToolRefusal(`${what}: JSON lines are made of a list; name one with "path"`);
  return value.map((item) => `${stringifyExact(item)}\n`).join('');
}

export function toJson(value: unknown): string {
  return `${stringifyExact(value, 2)}\n`;
}

function readLines(text: string, what: string, readWhole: () => unknown): unknown {
  try {
    return text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [readLine(line, i + 1, what)]));
  } catch (error) {
    try {
      return readWhole();
    } catch {
      throw error;
    }
  }
}

function readLine(line: string, number: number, what: string): unknown {
  try {
    return parseAsWritten(line);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    const place = `line ${number}, column ${error.column}: ${error.problem}`;
    throw new ToolRefusal(`${what}: is not JSON, one value a line: ${place}`, { cause: error });
  }
}

/** Whether the first of several lines is a JSON value. */
function hasFirstValue(text: string): boolean {
  const [first = '', ...more] = text.trimStart().split('\n', 2);
  if (more.length === 0) return false;
  try {
    parseAsWritten(first);
    return true;
  } catch {
    return false;
  }
}

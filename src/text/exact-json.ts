import { ExactNumber, isRounded, JsonObject } from './json-values.ts';
import { readJson, type JsonMaker } from './json-reader.ts';

/**
 * Reads JSON as `JSON.parse` does, but a number whose value a JavaScript number would change is an `ExactNumber`. A byte order
 * mark at the begin is skipped.
 * @throws JsonTextError, a SyntaxError, with line, column and reason
 */
export function parseExact(text: string): unknown {
  if (!MAY_ROUND.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // the reader knows where and why
    }
  }
  return readJson(text, PLAIN);
}

/** Finds all numbers that a JavaScript number would change, and some that look alike, in texts too. */
const MAY_ROUND = /(?<![^\s:,[])(?:-0|-?\d[\d.]*[eE]|-?[\d.]{16})/;

/**
 * Reads JSON so that `stringifyExact` writes each number as it was written (`1.0`, `1e3`), and the fields of objects in their
 * order, names that occur twice included.
 * @returns objects as `JsonObject`, numbers that JavaScript would write otherwise as `ExactNumber`
 * @throws JsonTextError, a SyntaxError, with line, column and reason
 */
export function parseAsWritten(text: string): unknown {
  const known: string[][] = [];
  return readJson(text, {
    object: (names, values) => new JsonObject(share(names, known), values.slice()),
    number: (number) => (String(Number(number)) === number ? Number(number) : new ExactNumber(number)),
  });
}

/** The same list for objects with the same names: most of the memory of a long list would be names. */
function share(names: string[], known: string[][]): string[] {
  const before = known[names.length];
  if (before !== undefined && names.every((name, i) => name === before[i])) return before;
  return (known[names.length] = names);
}

const PLAIN: JsonMaker = {
  object(names, values) {
    const object: Record<string, unknown> = {};
    for (const [i, name] of names.entries()) {
      if (name === '__proto__') Object.defineProperty(object, name, { ...OWN, value: values[i] });
      else object[name] = values[i];
    }
    return object;
  },
  number: (text) => (isRounded(text) ? new ExactNumber(text) : Number(text)),
};
const OWN = { configurable: true, enumerable: true, writable: true };

/**
 * Writes JSON as `JSON.stringify` does, and what `parseExact` and `parseAsWritten` made as it was read.
 * @param indent spaces for each level. Default 0: no line breaks
 * @returns '' for undefined
 */
export function stringifyExact(value: unknown, indent: number = 0): string {
  return isPlain(value) ? (JSON.stringify(value, null, indent) ?? '') : write(value, ' '.repeat(indent), '\n');
}

/** Whether a value holds a number that a JavaScript number would change. */
export function hasExactNumber(value: unknown): boolean {
  return !isPlain(value);
}

/** A copy whose numbers are all JavaScript numbers, rounded where they must be; the same value if none must. */
export function toRounded<T>(value: T): T;
export function toRounded(value: unknown): unknown {
  return isPlain(value) ? value : JSON.parse(JSON.stringify(value));
}

/** From so many objects on, those that were seen are remembered. */
const LARGE = 10_000;

/** Without recursion: the value may be nested deeper than the stack. It ends also where a value holds itself. */
function isPlain(whole: unknown): boolean {
  if (typeof whole !== 'object' || whole === null) return true;
  const open: object[] = [whole];
  let seen: Set<object> | undefined;
  for (let count = 0; ; count += 1) {
    const value = open.pop();
    if (value === undefined) return true;
    if (seen?.has(value) === true) continue;
    if (count > LARGE) (seen ??= new Set()).add(value);
    if (value instanceof ExactNumber || value instanceof JsonObject) return false;
    for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) open.push(part as object);
  }
}

function write(value: unknown, indent: string, lineBreak: string): string {
  if (value instanceof ExactNumber) return value.text;
  if (typeof value !== 'object' || value === null || isDated(value)) return JSON.stringify(value) ?? 'null';
  const inner = lineBreak + indent;
  const [between, begin, end] = indent === '' ? [',', '', ''] : [`,${inner}`, inner, lineBreak];
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => write(item, indent, inner));
    return items.length === 0 ? '[]' : `[${begin}${items.join(between)}${end}]`;
  }
  const fields = toFields(value).map(
    ([name, field]) => `${JSON.stringify(name)}:${indent === '' ? '' : ' '}${write(field, indent, inner)}`,
  );
  return fields.length === 0 ? '{}' : `{${begin}${fields.join(between)}${end}}`;
}

function toFields(value: object): [string, unknown][] {
  if (value instanceof JsonObject) return value.names.map((name, i) => [name, value.values[i]]);
  return Object.entries(value).filter(([, field]) => field !== undefined);
}

/** Whether `JSON.stringify` asks the object itself, as it does a date. */
function isDated(value: object): boolean {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

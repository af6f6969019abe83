import type { z } from 'zod';
import { DEEPEST_JSON, toJsonDepth } from '../../text/json-depth.ts';

/** An argument may be a text within a text: a list of lists, each written as a text. */
const MOST_ROUNDS = 4;

/**
 * Parses a tool's input. Models write some arguments as JSON text (`"[1,2]"`, `"true"`, `"5"`), and null for one that they leave
 * out. Where the input breaks the schema for that alone, it is read as what the schema wants; a text that is wanted stays as
 * it is.
 * @throws ZodError of the input as it came
 */
export function readArguments<Input extends z.ZodObject>(schema: Input, input: unknown): z.output<Input> {
  const plain = schema.safeParse(input);
  if (plain.success) return plain.data;
  let read = input;
  let { error } = plain as { error: z.ZodError };
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const next = error.issues.reduce((whole: unknown, issue) => {
      return changeAt(whole, issue.path, issue.code === 'invalid_type' ? issue.expected : null);
    }, read);
    if (next === read) break;
    const result = schema.safeParse(next);
    if (result.success) return result.data;
    read = next;
    error = result.error;
  }
  throw plain.error;
}

/**
 * @param expected null: it breaks another rule, which helps only where null stands for nothing
 * @returns a copy with the value at the path read as its type; the same value if it cannot be
 */
function changeAt(whole: unknown, path: readonly PropertyKey[], expected: string | null): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return expected === null ? whole : readAs(whole, expected);
  if (typeof whole !== 'object' || whole === null || !Object.hasOwn(whole, key)) return whole;
  const before: unknown = Reflect.get(whole, key);
  if (before === null && rest.length === 0 && !Array.isArray(whole)) return without(whole, key);
  const after = changeAt(before, rest, expected);
  if (after === before) return whole;
  if (Array.isArray(whole)) return whole.with(Number(key), after);
  return Object.fromEntries(Object.entries(whole).map(([name, value]) => [name, name === key ? after : value]));
}

/** The schema then refuses the field as missing, unless it is optional. */
function without(whole: object, key: PropertyKey): object {
  return Object.fromEntries(Object.entries(whole).filter(([name]) => name !== key));
}

function readAs(value: unknown, expected: string): unknown {
  if (typeof value !== 'string') return value;
  const text = expected === 'boolean' ? value.trim().toLowerCase() : value; // Python writes True
  if (toJsonDepth(text) > DEEPEST_JSON) return value;
  try {
    const read: unknown = JSON.parse(text);
    return read === null || toType(read) === toWanted(expected) ? read : value;
  } catch {
    return value;
  }
}

function toType(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Zod names the kinds of numbers and objects. */
function toWanted(expected: string): string {
  if (expected === 'int') return 'number';
  return expected === 'record' ? 'object' : expected;
}

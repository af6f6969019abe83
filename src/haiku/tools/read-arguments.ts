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
    const next = changeAll(read, error.issues);
    if (next === read) break;
    const result = schema.safeParse(next);
    if (result.success) return result.data;
    read = next;
    error = result.error;
  }
  throw plain.error;
}

/** @returns a copy in which what breaks the schema is read as its type; the same value if nothing can be */
function changeAll(whole: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  const draft = { whole };
  const copies = new WeakSet<object>([draft]); // each list or object is copied once, however many of its parts change
  for (const issue of issues) {
    changeAt(draft, ['whole', ...issue.path], issue.code === 'invalid_type' ? issue.expected : null, copies);
  }
  return draft.whole;
}

/** @param expected null: it breaks another rule, which helps only where null means none */
function changeAt(draft: object, path: readonly PropertyKey[], expected: string | null, copies: WeakSet<object>): void {
  const values = path.reduce<unknown[]>((found, key) => [...found, readOwn(found.at(-1), key)], [draft]);
  const before = values.at(-1);
  const isLeftOut = before === null && path.length > 1 && !Array.isArray(values.at(-2));
  const after = isLeftOut || expected === null ? undefined : readAs(before, expected);
  if (!isLeftOut && (after === undefined || after === before)) return;
  let parent = draft;
  for (const key of path.slice(0, -1)) parent = copyAt(parent, key, copies);
  const last = path.at(-1) ?? '';
  if (isLeftOut) Reflect.deleteProperty(parent, last); // the schema then refuses it as missing, unless it is optional
  else Reflect.set(parent, last, after);
}

function readOwn(whole: unknown, key: PropertyKey): unknown {
  return typeof whole === 'object' && whole !== null && Object.hasOwn(whole, key) ? Reflect.get(whole, key) : undefined;
}

/** Puts a copy in place of a part, unless it is one. */
function copyAt(parent: object, key: PropertyKey, copies: WeakSet<object>): object {
  const part = readOwn(parent, key) as object;
  if (copies.has(part)) return part;
  const copy: object = Array.isArray(part) ? [...(part as unknown[])] : { ...part };
  copies.add(copy);
  Reflect.set(parent, key, copy);
  return copy;
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

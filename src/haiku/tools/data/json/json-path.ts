import { JsonObject } from '../../../../text/json-values.ts';
import { ToolRefusal } from '../../tool-refusal.ts';

/**
 * Finds the part of a value at a path (`a.b.0`). A name that holds dots itself is found too: the longest name that an object has
 * is taken. '' is the whole value.
 * @returns `value` undefined: there is none; then `at` is the last part that was found, and `rest` what it lacks
 * @throws ToolRefusal for a name that an object has twice
 */
export function findPath(whole: unknown, path: string): { value: unknown; at: unknown; rest: string } {
  let at = whole;
  let rest: string | null = path === '' ? null : path;
  while (rest !== null) {
    const name = at instanceof JsonObject ? longestName(at, rest) : rest.split('.', 1)[0];
    const next = name === undefined ? undefined : step(at, name);
    if (name === undefined || next === undefined) return { value: undefined, at, rest };
    at = next;
    rest = name.length === rest.length ? null : rest.slice(name.length + 1);
  }
  return { value: at, at, rest: '' };
}

function longestName(object: JsonObject, path: string): string | undefined {
  let name = path;
  while (!object.has(name)) {
    const dot = name.lastIndexOf('.');
    if (dot === -1) return undefined;
    name = name.slice(0, dot);
  }
  return name;
}

function step(value: unknown, name: string): unknown {
  if (value instanceof JsonObject) {
    const at = value.names.indexOf(name);
    if (at === value.names.lastIndexOf(name)) return value.values[at];
    throw new ToolRefusal(`an object has more than one field ${JSON.stringify(name)}; give each a name of its own`);
  }
  return Array.isArray(value) && /^\d+$/.test(name) ? (value[Number(name)] as unknown) : undefined;
}

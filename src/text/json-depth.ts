/**
 * Most levels of lists and objects in JSON that the fleet takes and stores: tasks, results, answers. What reads and writes JSON
 * calls itself once a level, and Redis' scripts give up at 1,000.
 */
export const DEEPEST_JSON = 256;
export const DEEPEST_RULE = `expected at most ${DEEPEST_JSON} levels of lists and objects`;

/** What stands in place of a deeper part. */
const CUT = '(nested too deeply to show)';

/** How many levels of lists and objects a JSON text has: 0 for a number or a text, 1 for `[]`. Without recursion. */
export function toJsonDepth(json: string): number {
  let depth = 0;
  let deepest = 0;
  // A text is skipped whole, so that its brackets do not count.
  for (const [token] of json.matchAll(/"[^"\\]*(?:\\[^][^"\\]*)*"|[[\]{}]/g)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, (depth += 1));
    else if (token === ']' || token === '}') depth -= 1;
  }
  return deepest;
}

/** Whether a JSON text has more levels than `DEEPEST_JSON`. Quick for nearly all: it has too few brackets. */
export function isTooDeep(json: string): boolean {
  let openings = 0;
  for (const bracket of ['[', '{']) {
    for (let at = json.indexOf(bracket); at !== -1; at = json.indexOf(bracket, at + 1)) {
      openings += 1;
      if (openings > DEEPEST_JSON) return toJsonDepth(json) > DEEPEST_JSON;
    }
  }
  return false;
}

/** Whether a value, of any origin, has more levels than `DEEPEST_JSON`. Without recursion; true for one that holds itself. */
export function isValueTooDeep(value: unknown): boolean {
  let level: ReadonlySet<unknown> = new Set([value]);
  for (let depth = 0; depth <= DEEPEST_JSON; depth += 1) {
    const inner = [...level].filter((part) => typeof part === 'object' && part !== null);
    if (inner.length === 0) return false;
    level = new Set(inner.flatMap((part) => Object.values(part)));
  }
  return true;
}

/** A copy of a JSON value with a note in place of what is deeper than `DEEPEST_JSON`. */
export function cutDepth(value: unknown, levels: number = DEEPEST_JSON): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return CUT;
  if (Array.isArray(value)) return value.map((item) => cutDepth(item, levels - 1));
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, cutDepth(part, levels - 1)]));
}

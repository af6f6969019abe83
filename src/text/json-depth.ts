/**
 * Most levels of lists and objects in JSON that the fleet takes and stores: tasks, results, answers. What reads and writes JSON
 * calls itself once a level, and Redis' scripts give up at 1,000.
 */
export const DEEPEST_JSON = 256;
export const DEEPEST_RULE = `expected at most ${DEEPEST_JSON} levels of lists and objects`;

/** What stands in place of a deeper part. */
const CUT = '(nested too deeply to show)';

const [QUOTE, BACKSLASH, LIST, LIST_END, OBJECT, OBJECT_END] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/**
 * How many levels of lists and objects a JSON text has: 0 for a number or a text, 1 for `[]`. Without recursion, and in linear
 * time for any text. What follows a quote that is never closed counts.
 */
export function toJsonDepth(json: string): number {
  let depth = 0;
  let deepest = 0;
  let hasEnds = true; // false: no text that begins from here on has an end
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === LIST || code === OBJECT) deepest = Math.max(deepest, (depth += 1));
    else if (code === LIST_END || code === OBJECT_END) depth -= 1;
    else if (code === QUOTE && hasEnds) {
      const end = findTextEnd(json, at);
      hasEnds = end !== -1;
      if (hasEnds) at = end; // the brackets of a text do not count
    }
  }
  return deepest;
}

/** Place of the quote that ends the text which begins at `start`; -1: none does. */
function findTextEnd(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  return -1;
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
  let level = isParent(value) ? [value] : [];
  for (let depth = 0; depth <= DEEPEST_JSON; depth += 1) {
    if (level.length === 0) return false;
    const next: object[] = [];
    for (const part of level) for (const inner of Object.values(part)) if (isParent(inner)) next.push(inner);
    level = next.length > level.length ? [...new Set(next)] : next; // one that holds itself twice would double each level
  }
  return true;
}

function isParent(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** A copy of a JSON value with a note in place of what is deeper than `DEEPEST_JSON`. */
export function cutDepth(value: unknown, levels: number = DEEPEST_JSON): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return CUT;
  if (Array.isArray(value)) return value.map((item) => cutDepth(item, levels - 1));
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, cutDepth(part, levels - 1)]));
}

const STRING = /"[^"\\\r\n]*(?:\\[^][^"\\\r\n]*)*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const SPACE = /[ \t\r\n]*/y;
const BRACKETS = /"[^"\\\r\n]*(?:\\[^][^"\\\r\n]*)*"|[[\]{}]/g;

interface Open {
  start: number;
  isObject: boolean;
  /** Whether it is no prose: a named value of it was read, or an item and a comma. */
  isSure: boolean;
}

type Expected = 'value' | 'first value' | 'name' | 'first name' | 'colon' | 'comma';

/** How many characters may still be read to find the ends of broken values. Else a text full of them takes the square of its length. */
export interface ScanBudget {
  left: number;
}

/**
 * Reads the list or object that begins at `start`, without recursion.
 * @returns where it ends; where it is broken, the place from which to search for the next
 */
export function scanValue(text: string, start: number, budget: ScanBudget): { isWhole: boolean; at: number } {
  const open: Open[] = [];
  let expected: Expected = 'value';
  let at = start;
  let resume = start + 1; // where values may lie if all that was read is prose
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const [read] = pattern.exec(text) ?? [];
    at += read?.length ?? 0;
    return read !== undefined;
  };
  for (;;) {
    skip(SPACE);
    const from = at;
    const sign = text.charAt(at);
    const inner = open.at(-1);
    if (sign === '') return { isWhole: false, at };
    if ((sign === '{' || sign === '[') && expected.endsWith('value')) {
      at += 1;
      resume = at;
      open.push({ start: from, isObject: sign === '{', isSure: false });
      expected = sign === '{' ? 'first name' : 'first value';
    } else if (sign === (inner?.isObject === true ? '}' : ']') && /^first|comma/.test(expected)) {
      at += 1;
      resume = inner?.start ?? at;
      open.pop();
      const outer = open.at(-1);
      if (outer === undefined) return { isWhole: true, at };
      outer.isSure ||= outer.isObject;
      expected = 'comma';
    } else if (sign === ',' && expected === 'comma' && inner !== undefined) {
      at += 1;
      inner.isSure = true;
      expected = inner.isObject ? 'name' : 'value';
    } else if (sign === ':' && expected === 'colon') {
      at += 1;
      expected = 'value';
    } else if (expected.endsWith('name') && skip(STRING)) {
      resume = from + 1;
      expected = 'colon';
    } else if (expected.endsWith('value') && (skip(STRING) || skip(SCALAR))) {
      resume = from + 1;
      if (inner !== undefined) inner.isSure ||= inner.isObject;
      expected = 'comma';
    } else {
      const isSure = open.some((part) => part.isSure);
      return { isWhole: false, at: isSure ? findEnd(text, at, open.length, budget) : resume };
    }
  }
}

/** Where a broken value ends by its brackets, so that no part of it counts as a value; `at` if no end is found. */
function findEnd(text: string, at: number, open: number, budget: ScanBudget): number {
  let depth = open;
  let from = at;
  BRACKETS.lastIndex = at;
  for (let found = BRACKETS.exec(text); found !== null && budget.left > 0; found = BRACKETS.exec(text)) {
    budget.left -= BRACKETS.lastIndex - from;
    from = BRACKETS.lastIndex;
    if (found[0] === '[' || found[0] === '{') depth += 1;
    else if (found[0] === ']' || found[0] === '}') depth -= 1;
    if (depth === 0) return BRACKETS.lastIndex;
  }
  return at;
}

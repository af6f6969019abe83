import { toShownJson } from '../../../findings/stored.ts';

/** Deeper parts of a result are shown as JSON, on one line. */
const DEEPEST = 6;
const STEP = '  ';

/**
 * The whole result of a finding, for people: texts as they are, lists with dashes, objects as `name: value`. It cannot be read back;
 * `--json` prints what programs need.
 */
export function renderResult(result: unknown): string {
  return typeof result === 'string' ? result : toLines(result, 0).join('\n');
}

/** The answer that a mission's finding holds. @returns null for the result of anything else */
export function toMissionAnswer(result: unknown): string | null {
  if (!isRecord(result)) return null;
  const { answer, counts, cost } = result;
  return typeof answer === 'string' && isRecord(counts) && isRecord(cost) ? answer : null;
}

function toLines(value: unknown, depth: number): string[] {
  if (typeof value === 'string') return value === '' ? ['""'] : value.split('\n');
  const isShown = depth < DEEPEST;
  if (Array.isArray(value) && value.length > 0 && isShown) return value.flatMap((item) => toItem(item, depth));
  if (isRecord(value) && isShown) {
    const fields = Object.entries(value);
    if (fields.length > 0) return fields.flatMap(([name, field]) => toField(name, field, depth));
  }
  return value === undefined ? [] : [toShownJson(value)];
}

/** The first line of an item goes after the dash, further ones below it. */
function toItem(item: unknown, depth: number): string[] {
  const [first = '', ...rest] = toLines(item, depth + 1);
  return [`- ${first}`, ...rest.map((line) => STEP + line)];
}

function toField(name: string, value: unknown, depth: number): string[] {
  const lines = toLines(value, depth + 1);
  if (lines.length === 1 && (!isList(value) || depth + 1 >= DEEPEST)) return [`${name}: ${lines[0]}`];
  return [`${name}:`, ...lines.map((line) => STEP + line)];
}

/** What gets lines of its own, also where it has only one. */
function isList(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isRecord(value) && Object.keys(value).length > 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

import { toLikeness } from '../../config/source/likeness.ts';
import { UsageError } from '../../errors.ts';

/** The names of all options of a type: a new one that is not listed does not compile. */
export function namesOf<Options>(names: Record<keyof Options, true>): string[] {
  return Object.keys(names);
}

/** @throws UsageError for what is no array of ids: a string would count as one id a letter */
export function assertIds(what: string, ids: unknown): void {
  if (ids === undefined || (Array.isArray(ids) && ids.every((id) => typeof id === 'string'))) return;
  throw new UsageError(`${what}: expected ids as an array of strings, got ${JSON.stringify(ids) ?? 'undefined'}`);
}

/** @throws UsageError for what is no text: a caller without a compiler may leave an id out */
export function assertText(what: string, value: unknown): void {
  if (typeof value !== 'string') throw new UsageError(`${what}: expected a text, got ${describe(value)}`);
}

/** @throws UsageError for what is no instant in ms since 1970 */
export function assertInstant(what: string, value: unknown): void {
  if (value === undefined || AMOUNT.fits(value)) return;
  throw new UsageError(`${what}: expected ms since 1970, got ${describe(value)}`);
}

/** @throws UsageError where options are missing that a function needs */
export function assertGiven(what: string, options: unknown): void {
  if (options === undefined) throw new UsageError(`${what}: expected options as an object, got undefined`);
}

interface Shape {
  expected: string;
  fits: (value: unknown) => boolean;
}

const TEXT: Shape = { expected: 'a text', fits: (value) => typeof value === 'string' };
const NUMBERS: Shape = {
  expected: 'an array of task numbers',
  fits: (value) => Array.isArray(value) && value.every(Number.isInteger),
};
const AMOUNT: Shape = { expected: 'a number from 0', fits: (value) => typeof value === 'number' && value >= 0 };

/** What an option is wherever it has this name. Each function checks the others itself. */
const SHAPES: ReadonlyMap<string, Shape> = new Map([
  ['drop', NUMBERS],
  ['signal', { expected: 'an AbortSignal', fits: (value: unknown) => value instanceof AbortSignal }],
  ...['batch', 'session', 'mission', 'shard', 'reason', 'worker'].map((name): [string, Shape] => [name, TEXT]),
  ...['limit', 'deadlineMs'].map((name): [string, Shape] => [name, AMOUNT]),
]);

/**
 * Refuses options that a function does not have: a misspelt one would silently leave its default.
 * @param what the function, for the message
 * @throws UsageError naming the option and the one that is most like it
 */
export function assertOptions(what: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new UsageError(`${what}: expected options as an object, got ${describe(options)}`);
  }
  const wrong = Object.keys(options).find((name) => !known.includes(name));
  if (wrong === undefined) return assertShapes(what, options);
  const lower = wrong.toLowerCase();
  const nearest = known.toSorted((a, b) => toLikeness(lower, b.toLowerCase()) - toLikeness(lower, a.toLowerCase()))[0];
  const isAlike =
    nearest !== undefined && (toLikeness(lower, nearest.toLowerCase()) >= 0.5 || nearest.toLowerCase().includes(lower));
  const meant = isAlike ? `; did you mean ${nearest}?` : '';
  throw new UsageError(`${what}: ${JSON.stringify(wrong)} is no option; it takes ${known.join(', ')}${meant}`);
}

/** Null and undefined are for the function: it may give them a meaning. */
function assertShapes(what: string, options: object): void {
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const shape = SHAPES.get(name);
    if (shape === undefined || value === undefined || value === null || shape.fits(value)) continue;
    throw new UsageError(`${what}: ${name}: expected ${shape.expected}, got ${describe(value)}`);
  }
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'number' ? String(value) : typeof value;
}

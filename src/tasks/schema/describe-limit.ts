import { OffLoopLimitError } from '../../process/off-loop.ts';
import { startOf } from '../../text/start-of.ts';

/** UTF-16 code units of a pattern in a message. */
const MOST_PATTERN = 100;

/** Says what of a schema took too much, and what to do; null if the error is no limit. */
export function describeLimit(
  error: unknown,
  schema: Record<string, unknown>,
  limits: { deadlineMs: number; memoryMb: number },
): string | null {
  if (error instanceof RangeError || (error instanceof Error && error.name === 'RangeError')) {
    return 'it calls itself without end; expected a $ref that leads to a smaller part of the result';
  }
  if (!(error instanceof OffLoopLimitError)) return null;
  if (error.reason === 'memory')
    return `it took more than ${limits.memoryMb} MB of memory; give the task a smaller schema`;
  return `${nameSuspect(schema)} took too long (over ${limits.deadlineMs / 1_000} s); give the task a simpler schema`;
}

function nameSuspect(schema: Record<string, unknown>): string {
  const patterns = listPatterns(schema);
  const [pattern] = patterns;
  if (pattern === undefined) return 'it';
  return patterns.length === 1
    ? `its pattern ${JSON.stringify(startOf(pattern, MOST_PATTERN))}`
    : 'one of its patterns';
}

/** Patterns of texts and of names. Without recursion: the schema may be deep. */
function listPatterns(schema: Record<string, unknown>): string[] {
  const patterns = new Set<string>();
  const open: unknown[] = [schema];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (typeof part !== 'object' || part === null) continue;
    const { pattern, patternProperties } = part as Record<string, unknown>;
    if (typeof pattern === 'string') patterns.add(pattern);
    if (typeof patternProperties === 'object')
      for (const name of Object.keys(patternProperties ?? {})) patterns.add(name);
    for (const inner of Object.values(part)) open.push(inner);
  }
  return [...patterns];
}

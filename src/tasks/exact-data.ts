import type { TaskData } from '../../queues/tasks.ts';
import { hasExactNumber, parseExact, stringifyExact, toRounded } from '../text/exact-json.ts';

/**
 * Splits what a caller gave into a task of plain JSON and, where its `data` holds numbers that JavaScript's would change, the
 * exact text of `data`: BullMQ writes jobs with `JSON.stringify`, which rounds them.
 */
export function splitData(input: unknown): { task: unknown; dataText: string | undefined } {
  // It may refer to itself: `checkInput` refuses it.
  if (!hasExactNumber(input) || !isJson(input)) return { task: input, dataText: undefined };
  const data: unknown = typeof input === 'object' && input !== null && 'data' in input ? input.data : undefined;
  return { task: toRounded(input), dataText: hasExactNumber(data) ? stringifyExact(data) : undefined };
}

function isJson(input: unknown): boolean {
  try {
    JSON.stringify(input);
    return true;
  } catch {
    return false;
  }
}

/** The `data` of a job with exact numbers. A text that no longer belongs to it, because a person edited `data`, is ignored. */
export function toExactData({ data, data_text: text }: Pick<TaskData, 'data' | 'data_text'>): unknown {
  if (text === undefined) return data;
  try {
    const exact = parseExact(text);
    return JSON.stringify(toRounded(exact)) === JSON.stringify(data) ? exact : data;
  } catch {
    return data; // another program may have written anything
  }
}

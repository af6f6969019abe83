import { diffArrays } from 'diff';
import type { FileChange } from './line-change.ts';

/**
 * Most lines added and removed that are counted exactly: the search takes the square of it, about 0.1 s here, and the
 * process renews no lock meanwhile.
 */
const MAX_EDITS = 1_000;

/** Splits into lines. A last one without its end has a mark, so that a missing last newline counts as a change, as in git. */
function toLines(text: string): string[] {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  if (last !== '') lines.push(`${last}\n`); // no other line holds a newline
  return lines;
}

/**
 * Compares two texts of one file, line by line. A text is null if the file does not exist.
 * @returns null if the texts are equal
 */
export function toFileChange(path: string, before: string | null, after: string | null): FileChange | null {
  if (before === after) return null;
  if (after === null) return { path, added: 0, removed: toLines(before ?? '').length, lines: 'deleted' };
  const oldLines = toLines(before ?? '');
  const newLines = toLines(after);
  const most = Math.min(oldLines.length, newLines.length);
  let head = 0;
  while (head < most && oldLines[head] === newLines[head]) head += 1;
  let tail = 0;
  while (tail < most - head && oldLines.at(-1 - tail) === newLines.at(-1 - tail)) tail += 1;
  const oldMiddle = oldLines.slice(head, oldLines.length - tail);
  const newMiddle = newLines.slice(head, newLines.length - tail);
  const kept = countKept(oldMiddle, newMiddle);
  const first = Math.min(head + 1, newLines.length);
  return {
    path,
    added: newMiddle.length - kept,
    removed: oldMiddle.length - kept,
    lines: `${first}-${Math.max(first, newLines.length - tail)}`,
  };
}

/**
 * Returns how many lines the shortest edit from one list to the other keeps. Where that edit has too many lines: how many are
 * the same at the same place, which is exact for lines that were replaced one by one.
 */
function countKept(before: string[], after: string[]): number {
  const parts = diffArrays(before, after, { maxEditLength: MAX_EDITS });
  if (parts === undefined) return before.filter((line, i) => line === after[i]).length;
  return parts.reduce((kept, { added, removed, count }) => (added || removed ? kept : kept + count), 0);
}

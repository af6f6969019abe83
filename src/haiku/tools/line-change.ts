import { diffArrays } from 'diff';

/** What the tools of one task changed in one file, all edits together. */
export interface FileChange {
  /** Relative to the workspace, with `/` between the parts. */
  path: string;
  /** Lines added, summed over the task's edits of this file. */
  added: number;
  removed: number;
  /** First and last changed line, counted in the new file (`996-1140`), or `deleted`. */
  lines: string;
}

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

/** Merges two changes of one file: adds the counts, and covers both ranges in the line numbers of the later one. */
export function mergeChanges(earlier: FileChange, later: FileChange): FileChange {
  const added = earlier.added + later.added;
  const removed = earlier.removed + later.removed;
  const old = toRange(earlier.lines);
  const now = toRange(later.lines);
  if (old === null || now === null) return { ...later, added, removed };
  const grown = later.added - later.removed;
  const moved = (line: number): number => (line > now.last - grown ? line + grown : Math.min(line, now.last));
  const first = Math.min(now.first, moved(old.first));
  return { path: later.path, added, removed, lines: `${first}-${Math.max(now.last, moved(old.last))}` };
}

function toRange(lines: string): { first: number; last: number } | null {
  const [first, last] = lines.split('-').map(Number);
  if (first === undefined || last === undefined || Number.isNaN(first) || Number.isNaN(last)) return null;
  return { first, last };
}

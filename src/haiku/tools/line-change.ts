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
 * Most pairs of lines that are compared. With more, the exact count would block the process; all lines between the first
 * and the last difference then count as replaced.
 */
const MAX_PAIRS = 4_000_000;

/** Splits into lines that keep their ends, so that a missing last newline counts as a change, as in git. */
function toLines(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
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
  const kept = countCommon(oldMiddle, newMiddle);
  const first = Math.min(head + 1, newLines.length);
  return {
    path,
    added: newMiddle.length - kept,
    removed: oldMiddle.length - kept,
    lines: `${first}-${Math.max(first, newLines.length - tail)}`,
  };
}

/** Returns the length of the longest common subsequence of lines. */
function countCommon(left: string[], right: string[]): number {
  if (left.length === 0 || right.length === 0 || left.length * right.length > MAX_PAIRS) return 0;
  let row = new Uint32Array(right.length + 1);
  for (const line of left) {
    const next = new Uint32Array(right.length + 1);
    for (let column = 1; column <= right.length; column += 1) {
      next[column] =
        line === right[column - 1] ? (row[column - 1] ?? 0) + 1 : Math.max(row[column] ?? 0, next[column - 1] ?? 0);
    }
    row = next;
  }
  return row[right.length] ?? 0;
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

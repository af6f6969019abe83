/** What one task's own tools did to one file, all its edits together. */
export interface FileChange {
  /** Relative to the workspace, `/` between the parts. */
  path: string;
  /** Lines added, summed over the task's edits of this file. */
  added: number;
  removed: number;
  /** First and last line touched, counted in the new file (`996-1140`), or `deleted`. */
  lines: string;
}

/** Above this many line pairs the exact count would block the process; the changed stretch then counts as replaced. */
const MAX_PAIRS = 4_000_000;

/** Lines with their ends, so that a missing last newline counts as a change, as git counts it. */
function toLines(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/**
 * What changed between two texts of one file, in lines. Null means that the file was not there.
 * @returns null when nothing changed
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

/** Length of the longest common subsequence. */
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

/** Two changes of one file, the earlier first: counts add up, the range covers both, in the numbering of the last. */
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

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

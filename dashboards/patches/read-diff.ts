import { startOf } from '../../src/text/start-of.ts';
import { unquotePath } from './unquote-path.ts';
import type { DiffBounds, DiffFile, DiffLine } from './types.ts';

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;
const KINDS: Record<string, string> = { '100755': 'executable', '120000': 'symbolic link', '160000': 'submodule' };

/**
 * Reads the text of a patch for a page, file by file, until a bound is reached. It believes the counts of a hunk's heading,
 * so that no content of a file passes for a heading.
 * @param isWhole false: the text is only the beginning of the patch
 */
export function readDiff(text: string, isWhole: boolean, bounds: DiffBounds): DiffFile[] {
  const lines = text.split('\n');
  if (!isWhole || lines.at(-1) === '') lines.pop(); // what follows the last line break: part of a line, or nothing
  const files: DiffFile[] = [];
  let left = bounds.lines;
  let at = 0;
  while (at < lines.length && files.length < bounds.files) {
    const line = lines[at] ?? '';
    at += 1;
    if (!line.startsWith('diff --git ')) continue;
    const file = openFile(line);
    files.push(file);
    at = readHeader(lines, at, file);
    const read = readHunks(lines, at, { file, bounds, most: Math.min(left, bounds.linesOfFile) });
    left -= file.lines.length;
    at = read;
  }
  const last = files.at(-1);
  if (!isWhole && at >= lines.length && last !== undefined) last.isCut = true;
  return files;
}

/** Without renames both names of `diff --git a/NAME b/NAME` are the same, which tells where the first one ends. */
function openFile(line: string): DiffFile {
  const names = line.slice('diff --git '.length);
  const one = names.slice(0, (names.length - 1) / 2);
  return { path: toName(one), notes: [], isBinary: false, lines: [], isCut: false };
}

function toName(name: string): string {
  return unquotePath(name.endsWith('\t') ? name.slice(0, -1) : name).replace(/^[ab]\//, '');
}

/** @returns the index of the first line after the header */
function readHeader(lines: readonly string[], from: number, file: DiffFile): number {
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (line.startsWith('diff --git ') || line.startsWith('@@ ')) return at;
    if (line.startsWith('GIT binary patch') || line.startsWith('Binary files ')) {
      file.isBinary = true;
      return at + 1;
    }
    readFact(line, file);
  }
  return lines.length;
}

function readFact(line: string, file: DiffFile): void {
  const [, word = '', mode = ''] =
    /^(new file mode|deleted file mode|old mode|new mode|index \S+) (\d{6})$/.exec(line) ?? [];
  const kind = KINDS[mode];
  if (word === 'new file mode') file.notes.push('new', ...(kind === undefined ? [] : [kind]));
  else if (word === 'deleted file mode') file.notes.push('deleted');
  else if (word === 'old mode' || word === 'new mode') file.notes.push(`${word} ${mode}`);
  else if (word !== '' && kind !== undefined) file.notes.push(kind);
  else if (/^(?:---|\+\+\+) (?!\/dev\/null)/.test(line)) file.path = toName(line.slice(4));
}

/** @returns the index of the first line after the hunks that was read */
function readHunks(
  lines: readonly string[],
  from: number,
  { file, bounds, most }: { file: DiffFile; bounds: DiffBounds; most: number },
): number {
  let at = from;
  for (;;) {
    const heading = HUNK.exec(lines[at] ?? '');
    if (heading === null) return at;
    const [, oldStart, oldCount = '1', newStart, newCount = '1'] = heading;
    const next = { old: Number(oldStart), new: Number(newStart) };
    const end = { old: next.old + Number(oldCount), new: next.new + Number(newCount) };
    add(file, { sign: '@', old: null, new: null, text: lines[at] ?? '' }, bounds, most);
    at += 1;
    for (; at < lines.length; at += 1) {
      const line = lines[at] ?? '';
      const sign = line[0] ?? ' ';
      if (sign !== '\\' && next.old >= end.old && next.new >= end.new) break;
      if (sign !== ' ' && sign !== '+' && sign !== '-' && sign !== '\\') break; // no hunk of git's
      const isOld = sign === ' ' || sign === '-';
      const isNew = sign === ' ' || sign === '+';
      const numbers = { old: isOld ? next.old : null, new: isNew ? next.new : null };
      add(file, { sign, ...numbers, text: line.slice(1) }, bounds, most);
      if (isOld) next.old += 1;
      if (isNew) next.new += 1;
    }
  }
}

function add(file: DiffFile, line: DiffLine, { lineLength }: DiffBounds, most: number): void {
  if (file.lines.length >= most) {
    file.isCut = true;
    return;
  }
  const isLong = line.text.length > lineLength;
  file.lines.push(isLong ? { ...line, text: `${startOf(line.text, lineLength)} …` } : line);
}

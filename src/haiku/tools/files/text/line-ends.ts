export type LineEnd = '\n' | '\r\n' | '\r';

/** Replaces each CRLF by LF. */
export function toLf(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

/** Whether carriage returns alone end the lines, as in files of the old Macintosh. */
export function isCrOnly(text: string): boolean {
  return !text.includes('\n') && text.includes('\r');
}

/** Counts the two kinds of line ends. A carriage return alone ends a line only where all do (`isCrOnly`). */
export function countEnds(text: string): { crlf: number; lf: number } {
  let crlf = 0;
  let lf = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (text[at - 1] === '\r') crlf += 1;
    else lf += 1;
  }
  return { crlf, lf };
}

/** The line end at or after `at`, else the last one before it; null for a text of one line. */
export function endNear(text: string, at: number): LineEnd | null {
  if (isCrOnly(text)) return '\r';
  const after = text.indexOf('\n', at);
  const found = after >= 0 ? after : text.lastIndexOf('\n');
  if (found < 0) return null;
  return text[found - 1] === '\r' ? '\r\n' : '\n';
}

/**
 * Gives a new text the line ends of the old one. Where the old text has both kinds, lines that are the same at its beginning
 * and its end keep theirs, and those between get the kind that prevails between.
 * @param fresh whatever line ends it has are replaced
 * @param otherwise for an old text without line ends
 */
export function withEndsOf(old: string, fresh: string, otherwise: LineEnd): string {
  const lines = toLf(fresh).split('\n');
  const { crlf, lf } = countEnds(old);
  if (crlf === 0 || lf === 0) return lines.join(crlf > 0 ? '\r\n' : lf > 0 ? '\n' : otherwise);
  const before = toLines(old);
  let head = 0;
  while (head < lines.length - 1 && before[head]?.text === lines[head] && before[head]?.end !== '') head += 1;
  let tail = 0;
  while (
    tail < lines.length - head &&
    before.length - tail > head &&
    before.at(-1 - tail)?.text === lines.at(-1 - tail)
  ) {
    tail += 1;
  }
  const between = before.slice(head, before.length - tail).map(({ end }) => end);
  const inside = prevailing(between) ?? (before[Math.max(0, head - 1)]?.end || '\n');
  return lines
    .map((line, i) => {
      if (i === lines.length - 1) return line;
      if (i < head) return line + (before[i]?.end ?? inside);
      const fromEnd = lines.length - 1 - i;
      return line + (fromEnd < tail ? (before.at(-1 - fromEnd)?.end ?? inside) : inside);
    })
    .join('');
}

/** Lines without their ends; the last has none. */
function toLines(text: string): { text: string; end: LineEnd | '' }[] {
  const parts = text.split('\n');
  return parts.map((part, i) => {
    if (i === parts.length - 1) return { text: part, end: '' };
    return part.endsWith('\r') ? { text: part.slice(0, -1), end: '\r\n' } : { text: part, end: '\n' };
  });
}

function prevailing(ends: (LineEnd | '')[]): LineEnd | null {
  const crlf = ends.filter((end) => end === '\r\n').length;
  const lf = ends.filter((end) => end === '\n').length;
  if (crlf === 0 && lf === 0) return null;
  return crlf >= lf ? '\r\n' : '\n';
}

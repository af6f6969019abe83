import type { Content } from './content.ts';

/** A longer line is shown as a window around its first match. Bytes. */
const WHOLE_BYTES = 600;
const BEFORE_BYTES = 200;
/** Context lines are looked for within so many bytes. */
const AROUND_BYTES = 64 * 1024;
const LINE_FEED = 10;

interface Place {
  offset: number;
  length: number;
  /** Bytes from 1. */
  column: number;
}

/** Shows a line of a file without its end; of a long line the part around the column, and which part that is. */
export async function showLine(content: Content, { offset, length, column }: Place): Promise<string> {
  if (length <= WHOLE_BYTES) return toShown(await content.read(offset, length));
  const from = Math.max(0, Math.min(column - 1 - BEFORE_BYTES, length - WHOLE_BYTES));
  const bytes = await content.read(offset + from, Math.min(WHOLE_BYTES, length - from));
  const { start, end } = toWholeCharacters(bytes, from > 0, from + bytes.length < length);
  const shown = bytes.subarray(start, end);
  const first = 1 + (await countBefore(content, offset, from + start));
  return `${toWindow(first, shown, length)}${toShown(shown)}`;
}

/** Counts the characters of a line's beginning: `read` takes the next one as `from_character`. */
async function countBefore(content: Content, offset: number, length: number): Promise<number> {
  let count = 0;
  for (let at = 0; at < length;) {
    const bytes = await content.read(offset + at, Math.min(AROUND_BYTES, length - at));
    if (bytes.length === 0) break;
    count += countCharacters(bytes);
    at += bytes.length;
  }
  return count;
}

function countCharacters(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) count += 1;
  return count;
}

function toWindow(first: number, shown: Buffer, lineBytes: number): string {
  return `[characters ${first}-${first + countCharacters(shown) - 1} of a line of ${lineBytes} bytes] `;
}

/** Shows up to `count` lines before a place, those nearest to it. The last element is the line right before. */
export async function showLinesBefore(content: Content, offset: number, count: number): Promise<string[]> {
  if (count === 0 || offset === 0) return [];
  const from = Math.max(0, offset - AROUND_BYTES);
  const bytes = await content.read(from, offset - from);
  const lines = toLines(bytes.subarray(0, -1)); // without the last line's feed
  if (from > 0) lines.shift(); // the first may be a part of a line
  return lines.slice(-count).map(showContext);
}

/** Shows up to `count` lines after a line. */
export async function showLinesAfter(content: Content, lineEnd: number, count: number): Promise<string[]> {
  if (count === 0) return [];
  const bytes = await content.read(lineEnd, AROUND_BYTES);
  if (bytes[0] !== LINE_FEED) return [];
  const lines = toLines(bytes.subarray(1));
  if (bytes.length === AROUND_BYTES) lines.pop();
  else if (lines.at(-1)?.length === 0) lines.pop(); // the file ends with a line feed
  return lines.slice(0, count).map(showContext);
}

function toLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let from = 0;
  for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, from)) {
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return [...lines, bytes.subarray(from)];
}

function showContext(line: Buffer): string {
  if (line.length <= WHOLE_BYTES) return toShown(line);
  const { end } = toWholeCharacters(line.subarray(0, BEFORE_BYTES), false, true);
  const shown = line.subarray(0, end);
  return `${toWindow(1, shown, line.length)}${toShown(shown)}`;
}

/** Moves the ends of a part so that it splits no character. */
function toWholeCharacters(bytes: Buffer, hasBefore: boolean, hasAfter: boolean): { start: number; end: number } {
  const isInside = (at: number): boolean => ((bytes[at] ?? 0) & 0xc0) === 0x80;
  let start = 0;
  let end = bytes.length;
  if (hasBefore) while (start < 3 && isInside(start)) start += 1;
  if (hasAfter) {
    let lead = end - 1;
    while (lead > end - 4 && isInside(lead)) lead -= 1;
    if ((bytes[lead] ?? 0) >= 0xc0) end = lead;
  }
  return { start, end };
}

/** Control characters are written out: they could end a line of the output, or act on a terminal. */
function toShown(line: Buffer): string {
  const text = line.toString('utf8').replace(/\r$/, '');
  return text.replaceAll(/[^\P{Cc}\t]|[\u2028\u2029]/gu, toEscape);
}

function toEscape(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 2 ? String.raw`\u${code}` : String.raw`\x${code.padStart(2, '0')}`;
}

import { createHash } from 'node:crypto';
import { openInside } from './open-inside.ts';
import { layOut, type LaidOut } from './text/lay-out.ts';
import { LineWalk } from './text/line-walk.ts';
import { toUtf8Chunks, type TextStart } from './text/utf8-chunks.ts';
import { requireRegular } from './text-file.ts';
import { toRefusal, ToolRefusal } from '../tool-refusal.ts';
import { formatCount } from '../../../text/plural.ts';

/** Bytes of a file that one read shows. It is below the cap of tool results, so that no read is cut silently. */
export const SHOWN_BYTES = 30_000;

/** A file up to this size is read to its end for its hash and its count of lines, even if the part shown ends earlier. Bytes. */
const WALKED_CAP = 256 * 1024 * 1024;

/** Where a file of bytes shows a NUL, as git judges it: https://git-scm.com/docs/gitattributes (`buffer_is_binary`). Bytes. */
const BINARY_WITHIN = 8_000;

/** The part of a file to show. */
export interface Part {
  /** First line, from 1. */
  from: number;
  /** Last line, included. Infinity: the end of the file. */
  to: number;
  /** Character of the first line at which the part begins, from 1. */
  character: number;
  /** Most bytes to show. */
  room: number;
  /** Ends the read: a part may begin far in a very large file. */
  signal: AbortSignal;
}

export interface ShownFile {
  /** Numbered lines, then notes in square brackets. */
  content: string;
  /** Of the whole file. Null: the file was too large to read to its end. */
  sha256: string | null;
  /** Whether the whole file is shown, exactly. */
  isWhole: boolean;
}

/**
 * Shows a part of a file in one pass, with bounded memory for a file of any size.
 * @param path real path relative to the root
 * @param asked the path as the model gave it, for messages
 * @throws ToolRefusal for what is no regular file, for a binary file, and for a part that begins after the file's end; an
 *   AbortError
 */
export async function showFile(root: string, path: string, asked: string, part: Part): Promise<ShownFile> {
  try {
    const file = await openInside(root, path);
    try {
      const { size } = await requireRegular(file, asked);
      const walked = await walk(
        file.createReadStream({ autoClose: false, highWaterMark: 256 * 1024, signal: part.signal }),
        size,
        part,
        asked,
      );
      return toShown(walked, size, part, asked);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw toRefusal(error, asked);
  }
}

interface Walked {
  lines: LineWalk;
  start: TextStart;
  /** Null: the file was not read to its end. */
  sha256: string | null;
}

async function walk(chunks: AsyncIterable<Buffer>, size: number, part: Part, asked: string): Promise<Walked> {
  const hash = createHash('sha256');
  const lines = new LineWalk({ line: part.from, character: part.character }, part.room + 4);
  let start: TextStart = { encoding: 'UTF-8', hasMark: false };
  let bytes = 0;
  const raw = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
  for await (const piece of toUtf8Chunks(raw(), (found) => (start = found))) {
    if (piece.subarray(0, Math.max(0, BINARY_WITHIN - bytes)).includes(0)) {
      throw new ToolRefusal(
        `${JSON.stringify(asked)}: is a binary file of ${size} bytes, or UTF-16 without a byte order mark; only text can be read`,
      );
    }
    bytes += piece.length;
    lines.add(piece);
    if (size > WALKED_CAP && (lines.isFull || lines.line > part.to)) return { lines, start, sha256: null };
  }
  return { lines, start, sha256: hash.digest('hex') };
}

function toShown({ lines, start, sha256 }: Walked, size: number, part: Part, asked: string): ShownFile {
  const isEnd = sha256 !== null;
  const count = isEnd ? lines.lineCount : null;
  if (count !== null && part.from > Math.max(1, count)) {
    throw new ToolRefusal(`${JSON.stringify(asked)}: has ${of(count, 'line')}, asked from line ${part.from}`);
  }
  if (part.character > 1 && part.character > lines.firstLineLength) {
    const length = of(lines.firstLineLength, 'character');
    throw new ToolRefusal(`${JSON.stringify(asked)}: line ${part.from} has ${length}, asked from ${part.character}`);
  }
  const laid = layOut({ bytes: lines.kept, isEnd: isEnd && !lines.isFull }, part.from, part.to, part.room);
  const partial = describePart(laid, part, count, { size, firstLineLength: lines.firstLineLength });
  const isLast = count !== null && laid.lastLine === count && laid.cutAfter === null;
  const notes = [
    ...(count === 0 ? ['the file is empty'] : []),
    ...(partial === null ? [] : [partial]),
    ...(isLast && !lines.isAtLineStart ? ['no line end after the last line'] : []),
    ...describeText(start, laid, lines.ends),
  ];
  const content = [...(laid.text === '' ? [] : [laid.text]), ...notes.map((note) => `[${note}]`)].join('\n');
  return { content, sha256, isWhole: isEnd && partial === null && laid.isUtf8 && !laid.hasNul };
}

/** Which part is shown, and how to go on. Null: the whole file. */
function describePart(
  { lastLine, cutAfter }: LaidOut,
  { from, to, character }: Part,
  count: number | null,
  { size, firstLineLength }: { size: number; firstLineLength: number },
): string | null {
  const all = count === null ? `a file of ${formatCount(size)} bytes` : formatCount(count);
  const goOn = (line: number): string => `go on with view_range [${line}, ${to === Infinity ? -1 : to}]`;
  if (cutAfter !== null) {
    const end = character + cutAfter - 1;
    const length = count === null ? '' : ` of ${formatCount(firstLineLength)}`;
    const shown = `line ${formatCount(from)} of ${all}: characters ${formatCount(character)}–${formatCount(end)}${length}`;
    return `${shown}; ${goOn(from)} and from_character ${end + 1}`;
  }
  const isToEnd = count !== null && lastLine >= count;
  if (from === 1 && isToEnd && character === 1) return null;
  const lines = `${from === lastLine ? `line ${formatCount(from)}` : `lines ${formatCount(from)}–${formatCount(lastLine)}`} of ${all}`;
  const first = character === 1 ? '' : `, line ${formatCount(from)} from character ${formatCount(character)}`;
  return `${lines}${first}${isToEnd || lastLine >= to ? '' : `; ${goOn(lastLine + 1)}`}`;
}

/** What the model must know of the text besides its lines. */
function describeText({ encoding, hasMark }: TextStart, laid: LaidOut, { crlf, lf }: LineWalk['ends']): string[] {
  if (encoding !== 'UTF-8') return [`${encoding}, decoded; edit and write refuse this file`];
  const damaged = [
    ...(laid.isUtf8 ? [] : ['not UTF-8: some characters are shown as \uFFFD']),
    ...(laid.hasNul ? ['NUL is shown as ␀'] : []),
  ];
  if (damaged.length > 0) return damaged.map((what) => `${what}; edit and write refuse this file`);
  const kept = [
    ...(hasMark ? ['a byte order mark'] : []),
    ...(crlf > 0 && lf === 0 ? ['CRLF line ends'] : []),
    ...(crlf === 0 && lf === 0 && laid.text.includes('\r') ? ['CR line ends, so that it shows as one line'] : []),
    ...(crlf > 0 && lf > 0 ? [`mixed line ends (${formatCount(crlf)} CRLF, ${formatCount(lf)} LF)`] : []),
  ];
  return kept.length === 0 ? [] : [`has ${kept.join(' and ')}, which edit and write keep`];
}

function of(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

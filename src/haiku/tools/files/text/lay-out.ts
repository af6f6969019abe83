import { isUtf8 } from 'node:buffer';
import { countCharacters, isFirstByte } from './line-walk.ts';
import { toNumberedLine } from './numbered-lines.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** Bytes that a line costs besides its own: its number, a tab and a line end. */
const PER_LINE = 8;

/** Bytes of a file from the start of a shown part on. */
export interface Kept {
  bytes: Buffer;
  /** Whether the file ends with them. */
  isEnd: boolean;
}

export interface LaidOut {
  /** Numbered lines. */
  text: string;
  /** The last line shown, whole or in part; one before the first if there is none. */
  lastLine: number;
  /** Characters shown of the first line, which had no room; null: every line is whole. */
  cutAfter: number | null;
  /** Whether the bytes shown are UTF-8. */
  isUtf8: boolean;
  hasNul: boolean;
}

/**
 * Numbers lines as far as there is room. A first line that has no room is shown in part, so that every part of a file can be
 * shown.
 * @param from number of the first line
 * @param to last line, included
 * @param room bytes
 */
export function layOut({ bytes, isEnd }: Kept, from: number, to: number, room: number): LaidOut {
  const shown: Buffer[] = [];
  let used = 0;
  let at = 0;
  let cutAfter: number | null = null;
  while (at < bytes.length && from + shown.length <= to && cutAfter === null) {
    const newline = bytes.indexOf(NEWLINE, at);
    const line = bytes.subarray(at, newline < 0 ? bytes.length : newline);
    const isWhole = newline >= 0 || isEnd;
    if (isWhole && used + line.length + PER_LINE <= room) {
      shown.push(newline > 0 && line.at(-1) === RETURN ? line.subarray(0, -1) : line);
      used += line.length + PER_LINE;
      at += line.length + 1;
    } else if (shown.length === 0) {
      const part = cutAt(line, Math.max(4, room - PER_LINE));
      shown.push(part);
      cutAfter = Math.max(1, countCharacters(part)); // bytes that are no text must not stop the reader
    } else {
      break;
    }
  }
  const texts = shown.map((line) => line.toString('utf8'));
  const lines = texts.map((line, i) => toNumberedLine(from + i, line.replaceAll('\0', '␀')));
  return {
    text: lines.join('\n'),
    lastLine: from + shown.length - 1,
    cutAfter,
    isUtf8: shown.every((line) => isUtf8(line)),
    hasNul: shown.some((line) => line.includes(0)),
  };
}

/** Cuts between two characters. */
function cutAt(line: Buffer, most: number): Buffer {
  let end = Math.min(line.length, most);
  if (end < line.length) while (end > most - 4 && end > 1 && !isFirstByte(line[end])) end -= 1;
  return line.subarray(0, end);
}

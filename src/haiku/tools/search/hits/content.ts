import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { decodeWindows1252 } from './windows-1252.ts';
import type { Row } from '../engine/rows.ts';

/** The text of an open file as ripgrep counts it: in UTF-8, without a byte order mark. */
export interface Content {
  /** Bytes at this place, fewer at the end of the file. */
  read(offset: number, length: number): Promise<Buffer> | Buffer;
  /** Whether most of its beginning is no text. */
  isBinary: boolean;
}

const HEAD_BYTES = 8 * 1024;
const CARRIAGE_RETURN = 13;
const BLOCK_BYTES = 128 * 1024;
/** A file that must be converted is held in memory whole. */
export const MOST_CONVERTED = 32 * 1024 * 1024;

/** Opens the content of a file. Null: it must be converted, and is too large for that. */
export async function openContent(
  file: FileHandle,
  size: number,
  encoding: 'utf-8' | 'windows-1252',
): Promise<Content | null> {
  const head = await readAt(file, 0, HEAD_BYTES);
  const label = toUtf16Label(head);
  if (label === null && encoding === 'utf-8') {
    return { read: createReader(file, hasUtf8Mark(head) ? 3 : 0), isBinary: isMostlyBinary(head) };
  }
  if (size > MOST_CONVERTED) return null;
  const bytes = await readAt(file, 0, size);
  const text = label === null ? decodeWindows1252(bytes) : new TextDecoder(label).decode(bytes); // leaves the mark out
  const converted = Buffer.from(text, 'utf8');
  return {
    read: (offset, length) => converted.subarray(offset, offset + length),
    isBinary: isMostlyBinary(converted.subarray(0, HEAD_BYTES)),
  };
}

/**
 * Whether the file has this line at its place. Returns its length without what ripgrep added; null: it has not. A promise only
 * where the file must be read: there may be a million lines.
 */
export function findLine(content: Content, row: Row): Promise<number | null> | number | null {
  const { text } = row;
  if (typeof text === 'string') return findLongLine(content, row);
  const found = content.read(row.offset, row.length);
  return found instanceof Promise ? found.then((bytes) => compareLine(bytes, text)) : compareLine(found, text);
}

function compareLine(found: Buffer, text: Buffer): number | null {
  if (found.equals(text)) return text.length;
  // ripgrep ends the last line like one of Windows if it has no end
  const isLast = found.length === text.length - 1 && text.at(-1) === CARRIAGE_RETURN;
  return isLast && found.equals(text.subarray(0, -1)) ? found.length : null;
}

async function findLongLine(content: Content, row: Row): Promise<number | null> {
  const hash = createHash('sha256');
  const end = row.offset + row.length;
  let at = row.offset;
  while (at < end) {
    const block = await content.read(at, Math.min(BLOCK_BYTES, end - at));
    if (block.length === 0) break;
    hash.update(block);
    at += block.length;
  }
  if (at === end - 1) hash.update('\r'); // as above
  return hash.digest('hex') === row.text ? at - row.offset : null;
}

/** Rows come in the order of the file, so that a block serves many. */
function createReader(file: FileHandle, skipped: number): Content['read'] {
  let start = 0;
  let block: Buffer = Buffer.alloc(0);
  const find = (offset: number, length: number): Buffer => block.subarray(offset - start, offset - start + length);
  return (offset, length) => {
    if (offset >= start && offset + length <= start + block.length) return find(offset, length);
    return readAt(file, offset + skipped, Math.max(length, BLOCK_BYTES)).then((bytes) => {
      start = offset;
      block = bytes;
      return find(offset, length);
    });
  };
}

/** Bytes at this place, fewer at the end of the file. */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** The encoding that a byte order mark of UTF-16 tells; null: there is none. */
export function toUtf16Label(head: Buffer): 'utf-16le' | 'utf-16be' | null {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  return head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : null;
}

function hasUtf8Mark(head: Buffer): boolean {
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
}

/** Like `less` and others: of text less than a third are control characters and bytes that are no UTF-8. */
export function isMostlyBinary(head: Buffer): boolean {
  const text = head.toString('utf8');
  const odd = text.match(/[^\P{Cc}\b\t\n\v\f\r]|\uFFFD/gu)?.length ?? 0;
  return odd * 3 > text.length;
}

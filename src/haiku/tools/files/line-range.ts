import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { ToolRefusal } from '../tool-refusal.ts';

/** Most bytes that one read returns. It is below the cap of tool results, so that no read is cut silently. */
export const READ_CAP = 60_000;

/** A file up to this size is read to its end for its hash, even if the range ends earlier. Bytes. */
const HASHED_CAP = 64 * 1024 * 1024;

export interface LineRange {
  /** First line, from 1. */
  from: number;
  /** Last line, included. Infinity: the end of the file. */
  to: number;
}

export interface ReadLines {
  bytes: Buffer;
  /** Of the whole file. Null: the file was too large to read to its end. */
  sha256: string | null;
  /** Lines of the part that was read. */
  lineCount: number;
}

/**
 * Reads a range of lines in one pass, with bounded memory for a file of any size. Of a range the last newline is left out;
 * a whole file is returned as it is.
 * @throws ToolRefusal for a NUL byte (a binary file) and for a range of more than `READ_CAP` bytes
 */
export async function readLines(file: FileHandle, size: number, range: LineRange, path: string): Promise<ReadLines> {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let keptBytes = 0;
  let line = 1;
  let fits = 0;
  let atEnd = true;
  let last = 10;
  for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 64 * 1024 })) {
    const bytes: Buffer = chunk;
    if (bytes.includes(0)) throw new ToolRefusal(`${JSON.stringify(path)}: is a binary file of ${size} bytes`);
    hash.update(bytes);
    for (let start = 0; start < bytes.length;) {
      const newline = bytes.indexOf(10, start);
      const end = newline < 0 ? bytes.length : newline + 1;
      if (line >= range.from && line <= range.to) {
        kept.push(bytes.subarray(start, end));
        keptBytes += end - start;
        if (newline >= 0 && keptBytes <= READ_CAP) fits = line;
      }
      if (newline >= 0) line += 1;
      start = end;
    }
    last = bytes.at(-1) ?? last;
    if (keptBytes > READ_CAP) throw tooLong(path, size, range, fits);
    if (line > range.to && size > HASHED_CAP) {
      atEnd = false;
      break;
    }
  }
  const found = Buffer.concat(kept, keptBytes);
  const whole = range.from === 1 && range.to === Infinity;
  const cut = !whole && found.at(-1) === 10 ? found.subarray(0, -1) : found;
  return { bytes: cut, sha256: atEnd ? hash.digest('hex') : null, lineCount: last === 10 ? line - 1 : line };
}

function tooLong(path: string, size: number, range: LineRange, fits: number): ToolRefusal {
  const shown = JSON.stringify(path);
  if (fits < range.from) {
    return new ToolRefusal(
      `${shown}: line ${range.from} alone is longer than the ${READ_CAP} bytes of one read; search it with grep, or use json_transform`,
    );
  }
  return new ToolRefusal(
    `${shown}: ${size} bytes; one read returns at most ${READ_CAP}. Read it in ranges: lines ${range.from} to ${fits} fit, e.g. view_range: [${range.from}, ${fits}]`,
  );
}

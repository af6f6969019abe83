import { createHash, type Hash } from 'node:crypto';

/** One line that ripgrep found. */
export interface Row {
  /** Bytes as the system has them, relative to the workspace. */
  path: Buffer;
  line: number;
  /** Of the first match in the line, bytes from 1. */
  column: number;
  /** Bytes before the line. In a file of UTF-16 or with a byte order mark: of its UTF-8, without the mark. */
  offset: number;
  /** Bytes of the line without its line feed. */
  length: number;
  /** The line, or the hash of a long one. */
  text: Buffer | string;
}

/** Options that make ripgrep print such rows: `path NUL line:column:offset:text LF`. Exact for any name and any text. */
export const ROW_OPTIONS = [
  '--null',
  '--no-heading',
  '--with-filename',
  '--line-number',
  '--column',
  '--byte-offset',
  '--text',
];

/** A longer line is kept as its hash. */
const KEPT_BYTES = 64 * 1024;
const NUL = 0;
const LINE_FEED = 10;

/** Reads rows, with at most `KEPT_BYTES` of each in memory. Yields those that a chunk completes. */
export async function* readRows(stdout: AsyncIterable<Buffer>): AsyncGenerator<Row[]> {
  let path: Buffer | null = null;
  let last: Buffer = Buffer.alloc(0); // rows of a file share one path
  let parts: Buffer[] = [];
  let line = createLine();
  for await (const chunk of stdout) {
    const rows: Row[] = [];
    for (let from = 0; from < chunk.length;) {
      const end = chunk.indexOf(path === null ? NUL : LINE_FEED, from);
      const piece = chunk.subarray(from, end === -1 ? chunk.length : end);
      if (path === null) parts.push(piece);
      else line.add(piece);
      if (end === -1) break;
      if (path === null) {
        const name = toPath(parts.length === 1 ? piece : Buffer.concat(parts));
        if (!name.equals(last)) last = Buffer.from(name);
        path = last;
        parts = [];
      } else {
        rows.push(line.end(path));
        path = null;
        line = createLine();
      }
      from = end + 1;
    }
    if (rows.length > 0) yield rows;
  }
}

/** Reads the names that `--files --null` prints. */
export async function* readNames(stdout: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stdout) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const names: Buffer[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NUL); end !== -1; end = bytes.indexOf(NUL, from)) {
      names.push(toPath(bytes.subarray(from, end)));
      from = end + 1;
    }
    rest = bytes.subarray(from);
    if (names.length > 0) yield names;
  }
}

/** Every search starts at `./…`, so that no name looks like an option. */
function toPath(bytes: Buffer): Buffer {
  return bytes[0] === 0x2e && bytes[1] === 0x2f ? bytes.subarray(2) : bytes;
}

interface Line {
  add(piece: Buffer): void;
  end(path: Buffer): Row;
}

function createLine(): Line {
  let parts: Buffer[] = [];
  let length = 0;
  let long: { head: Head; hash: Hash } | null = null;
  return {
    add(piece) {
      length += piece.length;
      if (long !== null) {
        long.hash.update(piece);
        return;
      }
      parts.push(piece);
      if (length <= KEPT_BYTES) return;
      const row = Buffer.concat(parts);
      const head = readHead(row);
      long = { head, hash: createHash('sha256').update(row.subarray(head.size)) };
      parts = [];
    },
    end(path) {
      if (long !== null) return toRow(path, long.head, length, long.hash.digest('hex'));
      const row = parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
      const head = readHead(row);
      return toRow(path, head, length, row.subarray(head.size));
    },
  };
}

interface Head {
  line: number;
  column: number;
  offset: number;
  /** Bytes of the three with their colons. */
  size: number;
}

const COLON = 0x3a;
const ZERO = 0x30;

/** ripgrep names no column where it does not find the match again: an empty one at a carriage return inside the line. */
function readHead(row: Buffer): Head {
  const numbers = [0, 0, 0];
  let at = 0;
  for (let index = 0; index < 3; at += 1) {
    const byte = row[at] ?? 0;
    if (byte === COLON) index += 1;
    else if (byte >= ZERO && byte < COLON) numbers[index] = (numbers[index] ?? 0) * 10 + byte - ZERO;
    else if (index === 2) return { line: numbers[0] ?? 0, column: 1, offset: numbers[1] ?? 0, size: toTextStart(row) };
    else throw new TypeError('ripgrep printed a row that does not begin with line, column and offset');
  }
  const [line = 0, column = 0, offset = 0] = numbers;
  return { line, column, offset, size: at };
}

/** The place after the second colon. */
function toTextStart(row: Buffer): number {
  return row.indexOf(COLON, row.indexOf(COLON) + 1) + 1;
}

function toRow(path: Buffer, { line, column, offset, size }: Head, length: number, text: Row['text']): Row {
  return { path, line, column, offset, length: length - size, text };
}

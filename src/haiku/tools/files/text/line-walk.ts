const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Where the part of a file begins that is shown, both from 1. */
export interface Start {
  line: number;
  /** Unicode character of this line. */
  character: number;
}

/**
 * Walks through UTF-8 in pieces: keeps some bytes from a line and character on, and counts lines. It never holds more than
 * it keeps.
 */
export class LineWalk {
  readonly #start: Start;
  readonly #most: number;
  #line = 1;
  #toSkip: number;
  #parts: Buffer[] = [];
  #keptBytes = 0;
  #lastByte = NEWLINE;
  /** Characters of the line of the start, as far as it was walked. */
  firstLineLength = 0;
  readonly ends = { crlf: 0, lf: 0 };

  /** @param most bytes to keep */
  constructor(start: Start, most: number) {
    this.#start = start;
    this.#most = most;
    this.#toSkip = start.character - 1;
  }

  /** The line that the walk has come to. */
  get line(): number {
    return this.#line;
  }

  /** Whether the last line walked has its end. True of nothing. */
  get isAtLineStart(): boolean {
    return this.#lastByte === NEWLINE;
  }

  /** Lines walked through; the last may have no end. */
  get lineCount(): number {
    return this.isAtLineStart ? this.#line - 1 : this.#line;
  }

  get kept(): Buffer {
    return Buffer.concat(this.#parts, this.#keptBytes);
  }

  /** Whether as much is kept as may be: more may follow. */
  get isFull(): boolean {
    return this.#keptBytes >= this.#most;
  }

  add(piece: Buffer): void {
    if (piece.length === 0) return;
    let from = this.#line >= this.#start.line ? 0 : -1; // where the part to keep begins in this piece
    let lineStart = 0;
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) {
      const before = at > 0 ? piece[at - 1] : this.#lastByte;
      if (this.#line === this.#start.line)
        this.firstLineLength += countCharacters(piece.subarray(lineStart, at)) - (before === RETURN ? 1 : 0);
      this.ends[before === RETURN ? 'crlf' : 'lf'] += 1;
      this.#line += 1;
      lineStart = at + 1;
      if (this.#line === this.#start.line) from = lineStart;
    }
    if (this.#line === this.#start.line) this.firstLineLength += countCharacters(piece.subarray(lineStart));
    this.#lastByte = piece.at(-1) ?? NEWLINE;
    if (from >= 0 && !this.isFull) this.#keep(this.#skip(piece.subarray(from)));
  }

  /** Leaves out the characters before the start; the last of them may end in a later piece. */
  #skip(bytes: Buffer): Buffer {
    if (this.#start.character === 1 || this.#keptBytes > 0) return bytes;
    let at = 0;
    for (; at < bytes.length; at += 1) {
      if (!isFirstByte(bytes[at])) continue;
      if (this.#toSkip === 0) break;
      this.#toSkip -= 1;
    }
    return bytes.subarray(at);
  }

  #keep(bytes: Buffer): void {
    const part = Buffer.from(bytes.subarray(0, this.#most - this.#keptBytes)); // a copy: the stream may reuse the memory
    this.#parts.push(part);
    this.#keptBytes += part.length;
  }
}

/** Counts Unicode characters of UTF-8. */
export function countCharacters(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (isFirstByte(byte)) count += 1;
  return count;
}

/** Whether a byte begins a character of UTF-8. */
export function isFirstByte(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) !== 0x80;
}

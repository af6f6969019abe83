import { isUtf8 } from 'node:buffer';

/** The text of bytes, exactly; or why they are no text. `problem` follows the name of a file: "is not UTF-8 text: …". */
export type DecodedText =
  | { text: string; encoding: 'UTF-8' | 'UTF-16LE' | 'UTF-16BE'; hasMark: boolean }
  | { text: null; problem: string };

const MARK = '\uFEFF';

/**
 * Decodes UTF-8, and UTF-16 that begins with a byte order mark. The mark is no part of the text. Nothing is replaced: bytes
 * that are something else, or that hold a NUL, have no text.
 */
export function decodeText(bytes: Buffer): DecodedText {
  const utf16 = findUtf16Mark(bytes);
  if (utf16 !== null) return decodeUtf16(bytes, utf16);
  const problem = findUtf8Problem(bytes);
  if (problem !== null) return { text: null, problem };
  const text = bytes.toString('utf8');
  const hasMark = text.startsWith(MARK);
  return { text: hasMark ? text.slice(1) : text, encoding: 'UTF-8', hasMark };
}

/** The encoding that a byte order mark of UTF-16 names; null without one. */
function findUtf16Mark(bytes: Uint8Array): 'UTF-16LE' | 'UTF-16BE' | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'UTF-16LE';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'UTF-16BE' : null;
}

/** What keeps the bytes from being UTF-8 text, with the offset of the first wrong byte; null if nothing does. */
export function findUtf8Problem(bytes: Buffer): string | null {
  const bad = findInvalidUtf8(bytes);
  if (bad !== null) return `is not UTF-8 text: byte ${toHex(bytes[bad])} at offset ${bad}`;
  const nul = bytes.indexOf(0);
  return nul < 0 ? null : `is binary, or UTF-16 without a byte order mark: NUL byte at offset ${nul}`;
}

/** Offset of the first byte that is not part of a UTF-8 character; null if there is none. */
function findInvalidUtf8(bytes: Buffer): number | null {
  if (isUtf8(bytes)) return null;
  const text = bytes.toString('utf8');
  let offset = 0;
  for (let from = 0; ;) {
    const at = text.indexOf('\uFFFD', from); // stands for wrong bytes, or for itself
    if (at < 0) return offset;
    offset += Buffer.byteLength(text.slice(from, at));
    if (bytes.toString('latin1', offset, offset + 3) !== 'ï¿½') return offset;
    offset += 3;
    from = at + 1;
  }
}

function decodeUtf16(bytes: Buffer, encoding: 'UTF-16LE' | 'UTF-16BE'): DecodedText {
  const even = bytes.length - (bytes.length % 2);
  const little = encoding === 'UTF-16LE' ? bytes.subarray(0, even) : Buffer.from(bytes.subarray(0, even)).swap16();
  const text = little.toString('utf16le').slice(MARK.length);
  if (even !== bytes.length) return { text: null, problem: `is not ${encoding} text: its last character is cut` };
  const nul = text.indexOf('\0');
  if (nul >= 0) return { text: null, problem: `is binary: NUL character at offset ${2 + 2 * nul}` };
  if (text.isWellFormed()) return { text, encoding, hasMark: true };
  const half = 2 + 2 * findHalfPair(text);
  return { text: null, problem: `is not ${encoding} text: half a character at offset ${half}` };
}

/** Index of the first half of a surrogate pair that has no other half. */
function findHalfPair(text: string): number {
  return /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.exec(text)?.index ?? 0;
}

function toHex(byte: number | undefined): string {
  return `0x${(byte ?? 0).toString(16).padStart(2, '0')}`;
}

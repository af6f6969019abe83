/** How a body becomes text. */
export interface BodyText {
  /** Null: the body is no text. */
  text: string | null;
  /** What the reader must know of the characters; null: they are certain. */
  note: string | null;
}

/** Bytes of a page in which it may name its charset: https://html.spec.whatwg.org/multipage/parsing.html#prescan-a-byte-stream-to-determine-its-encoding */
const NAMED_WITHIN = 1_024;
/** A text type without a stated charset. */
const TEXT_TYPE = /^(text\/|application\/(.*\+)?(xml|javascript|ecmascript|x-www-form-urlencoded)\b)/;

/**
 * Decodes a body: by its byte order mark, the charset of its type, or the one a page names itself; else as UTF-8. JSON is UTF-8,
 * whatever its type says (RFC 8259). Of other text the charset is a guess, and the note says so.
 * @param type the `content-type` header
 * @param isCut the last character may be incomplete
 */
export function toBodyText(bytes: Buffer, type: string, isCut: boolean): BodyText {
  const stated = statedCharset(bytes, type.toLowerCase(), isCut);
  const charset = stated ?? (isText(bytes, isCut) ? 'utf-8' : null);
  if (charset === null) {
    if (!TEXT_TYPE.test(type.toLowerCase()) || bytes.includes(0)) return { text: null, note: null };
    return {
      text: decode('windows-1252', bytes, false, isCut),
      note: 'the charset is not stated; it was read as windows-1252, which may be wrong',
    };
  }
  const encoding = toEncoding(charset);
  if (encoding === null) {
    const text = isText(bytes, isCut) ? bytes.toString('utf8') : null;
    return { text, note: `the stated charset ${JSON.stringify(charset)} is not known here` };
  }
  const exact = decode(charset, bytes, true, isCut);
  if (exact?.includes('\0')) return { text: null, note: null };
  if (exact !== null) return { text: exact, note: null };
  if (bytes.includes(0) && !encoding.startsWith('utf-16')) return { text: null, note: null };
  return {
    text: decode(charset, bytes, false, isCut),
    note: `the body is not all ${charset}, as stated; what could not be read is shown as \uFFFD`,
  };
}

/** The charset that the body or its type states; null: none. */
function statedCharset(bytes: Buffer, type: string, isCut: boolean): string | null {
  if (bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const isJson = /^[^;]*[/+]json\b/.test(type);
  if (isJson && isText(bytes, isCut)) return 'utf-8';
  const inType = /;\s*charset\s*=\s*["']?([^\s;"']+)/.exec(type)?.[1];
  if (inType !== undefined) return inType;
  const isMarkup = /html|xml/.test(type) || (type === '' && /^\s*</.test(bytes.toString('latin1', 0, 100)));
  return isMarkup ? charsetInMarkup(bytes.toString('latin1', 0, NAMED_WITHIN)) : null;
}

/** The charset of an XML declaration or a `meta` tag. Both are readable as ASCII, so neither can mean UTF-16. */
function charsetInMarkup(start: string): string | null {
  const text = start.replaceAll(/<!--[\s\S]*?(-->|$)/g, '');
  const found =
    /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"']+)/i.exec(text) ??
    /<meta\s[^>]*?\bcharset\s*=\s*["']?\s*([^\s"'/>;]+)/i.exec(text);
  const charset = found?.[1]?.toLowerCase() ?? null;
  return charset !== null && /^utf-?16/.test(charset) ? 'utf-8' : charset;
}

function isText(bytes: Buffer, isCut: boolean): boolean {
  return !bytes.includes(0) && decode('utf-8', bytes, true, isCut) !== null;
}

/** @returns null where `isFatal` and the bytes are not of the charset */
function decode(charset: string, bytes: Buffer, isFatal: boolean, isCut: boolean): string | null {
  try {
    const decoder = new TextDecoder(charset, { fatal: isFatal });
    // In two steps: in one, Node 20 and 22 take windows-1252 for Latin-1 (https://github.com/nodejs/node/issues/56542).
    const text = decoder.decode(bytes, { stream: true });
    return isCut ? text : text + decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}

/** The WHATWG name of a charset; null: Node does not know it. */
function toEncoding(charset: string): string | null {
  try {
    return new TextDecoder(charset).encoding;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return null;
  }
}

import { createReadStream, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { toMessage, UsageError } from '../../errors.ts';
import { parseExact } from '../../text/exact-json.ts';
import { decodeText } from '../../text/decode-text.ts';

/** Keeps numbers exact. @param name of the option or argument, for the error. @throws UsageError when the text is no JSON */
export function parseJson(name: string, text: string): unknown {
  try {
    return parseExact(text);
  } catch (error) {
    throw new UsageError(`${name}: expected JSON: ${toMessage(error)}`, { cause: error });
  }
}

/** A text and the encoding that it was decoded from. */
export interface TextFile {
  text: string;
  encoding: 'UTF-8' | 'UTF-16LE' | 'UTF-16BE';
}

/**
 * Reads a text exactly: what is stored and sent is what the file says.
 * @param path `-` reads the standard input
 * @throws UsageError when it cannot be read, or is neither UTF-8 nor UTF-16 with a byte order mark
 */
export function readTextFile(name: string, path: string): TextFile {
  const decoded = decodeText(readBytes(name, path));
  if (decoded.text !== null) return decoded;
  const shown = path === '-' ? 'the standard input' : path;
  throw new UsageError(
    `${name}: ${shown} ${decoded.problem}; expected UTF-8, or UTF-16 with a byte order mark: convert it first, e.g. iconv -f LATIN1 -t UTF-8`,
  );
}

function readBytes(name: string, path: string): Buffer {
  try {
    return readFileSync(path === '-' ? 0 : path);
  } catch (error) {
    throw new UsageError(`${name}: cannot read ${path}: ${toMessage(error)}`, { cause: error });
  }
}

/** @param path `-` reads the standard input. @throws UsageError as `readTextFile`, and when it is no JSON */
export function readJsonFile(name: string, path: string): unknown {
  return parseJson(`${name} ${path}`, readTextFile(name, path).text);
}

/** A file that is read while it is worked. */
export interface InputStream {
  chunks: AsyncIterable<Buffer | string>;
  /** Bytes; null for a pipe. */
  size: number | null;
}

/** @param path `-` reads the standard input. @throws UsageError when it cannot be read */
export async function openInputStream(name: string, path: string): Promise<InputStream> {
  if (path === '-') return { chunks: process.stdin, size: null };
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new UsageError(`${name} ${path}: is a folder`);
    return { chunks: createReadStream(path, { highWaterMark: 256 * 1024 }), size: found.isFile() ? found.size : null };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${name}: cannot read ${path}: ${toMessage(error)}`, { cause: error });
  }
}

import { createReadStream, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { toMessage, UsageError } from '../../errors.ts';

/** @param name of the option or argument, for the error. @throws UsageError when the text is no JSON */
export function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${name}: expected JSON: ${toMessage(error)}`, { cause: error });
  }
}

/** @param path `-` reads the standard input. @throws UsageError when it cannot be read */
export function readTextFile(name: string, path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new UsageError(`${name}: cannot read ${path}: ${toMessage(error)}`, { cause: error });
  }
}

/** @param path `-` reads the standard input. @throws UsageError when it cannot be read or is no JSON */
export function readJsonFile(name: string, path: string): unknown {
  return parseJson(`${name} ${path}`, readTextFile(name, path));
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

import { createHash } from 'node:crypto';
import { decodeText, findUtf8Problem } from '../../../text/decode-text.ts';
import { openInside } from './open-inside.ts';
import { errorCode, ToolRefusal, toRefusal } from '../tool-refusal.ts';

/** Largest file that is held in memory whole, for an edit, a transform or a count of lines. Bytes. */
export const WHOLE_FILE_CAP = 8 * 1024 * 1024;

/** Largest file that a tool writes, such as the result of a transform. Bytes. */
export const WRITTEN_CAP = 32 * 1024 * 1024;

export function toSha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

export interface FileContent {
  bytes: Buffer;
  sha256: string;
}

export interface FileLimit {
  /** Largest file, bytes. */
  cap: number;
  /** What the model can do instead with a larger one. */
  advice: string;
}

const WHOLE_FILE_LIMIT = { cap: WHOLE_FILE_CAP, advice: 'read it in ranges, change it with a program' };

/**
 * Reads a whole file. Null: it does not exist.
 * @param path real path relative to the root
 * @throws ToolRefusal if it is not a regular file, or larger than the limit
 */
export async function readWhole(
  root: string,
  path: string,
  { cap, advice }: FileLimit = WHOLE_FILE_LIMIT,
): Promise<FileContent | null> {
  try {
    const file = await openInside(root, path);
    try {
      const { size } = await requireRegular(file, path);
      if (size > cap) {
        throw new ToolRefusal(`${JSON.stringify(path)}: ${size} bytes, the limit for whole files is ${cap}; ${advice}`);
      }
      const bytes = await file.readFile();
      return { bytes, sha256: toSha256(bytes) };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw toRefusal(error, path);
  }
}

/** @throws ToolRefusal for a folder, FIFO, socket or device */
export async function requireRegular(
  file: { stat(): Promise<{ size: number; isFile(): boolean; isDirectory(): boolean }> },
  path: string,
): Promise<{ size: number }> {
  const stats = await file.stat();
  if (stats.isFile()) return stats;
  const hint = stats.isDirectory() ? 'is a folder; use list' : 'is not a regular file';
  throw new ToolRefusal(`${JSON.stringify(path)}: ${hint}`);
}

/**
 * Returns UTF-8 bytes as text, with a byte order mark if there is one.
 * @throws ToolRefusal for anything else: other bytes would change when they are written back as text
 */
export function toText(bytes: Buffer, path: string): string {
  const problem = findUtf8Problem(bytes);
  if (problem === null) return bytes.toString('utf8');
  const decoded = decodeText(bytes);
  const what = decoded.text === null ? decoded.problem : `is ${decoded.encoding} text`;
  throw new ToolRefusal(
    `${JSON.stringify(path)}: ${what} (${bytes.length} bytes); only UTF-8 text can be changed without damage: leave it, or convert it with a program first`,
  );
}

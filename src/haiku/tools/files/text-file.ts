import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { openInside } from './open-inside.ts';
import { errorCode, ToolRefusal, toRefusal } from '../tool-refusal.ts';

/** Largest file that is held in memory whole, for an edit, a transform or a count of lines. Bytes. */
export const WHOLE_FILE_CAP = 8 * 1024 * 1024;

export function toSha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

export interface FileContent {
  bytes: Buffer;
  sha256: string;
}

/**
 * Reads a whole file. Null: it does not exist.
 * @param path real path relative to the root
 * @throws ToolRefusal if it is not a regular file, or larger than `WHOLE_FILE_CAP`
 */
export async function readWhole(root: string, path: string): Promise<FileContent | null> {
  try {
    const file = await openInside(root, path);
    try {
      const { size } = await requireRegular(file, path);
      if (size > WHOLE_FILE_CAP) {
        throw new ToolRefusal(
          `${JSON.stringify(path)}: ${size} bytes, the limit for whole files is ${WHOLE_FILE_CAP}; read it in ranges with view_range`,
        );
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
  const hint = stats.isDirectory() ? 'is a folder; list it with glob' : 'is not a regular file';
  throw new ToolRefusal(`${JSON.stringify(path)}: ${hint}`);
}

/** @throws ToolRefusal unless the bytes are UTF-8 text: other bytes would change when written back as text */
export function toText(bytes: Buffer, path: string): string {
  if (bytes.includes(0) || !isUtf8(bytes)) {
    throw new ToolRefusal(`${JSON.stringify(path)}: is binary or not UTF-8 text (${bytes.length} bytes)`);
  }
  return bytes.toString('utf8');
}

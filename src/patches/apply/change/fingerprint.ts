import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';

/** What a file or link holds, without its times. Null: nothing is there. @throws Error for a file that cannot be read */
export async function readFingerprint(path: string | Buffer): Promise<string | null> {
  const stats = await lstat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  });
  if (stats === null) return null;
  if (stats.isSymbolicLink()) return `link ${(await readlink(path, 'buffer')).toString('latin1')}`;
  if (!stats.isFile()) return 'other'; // a folder; or a pipe, whose reading would not end
  const sha = createHash('sha256');
  for await (const chunk of createReadStream(path)) sha.update(chunk as Buffer);
  return `file ${(stats.mode & 0o777).toString(8)} ${sha.digest('hex')}`;
}

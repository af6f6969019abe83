import type { Git } from '../../../git/git.ts';
import type { Db } from '../../../redis/db.ts';
import { readWholeText } from '../../record.ts';
import type { PatchRecord } from '../../types.ts';

/** Reads the text of a patch: the stored one, else from its commits. @returns null: neither is kept */
export async function readText(db: Db, git: Git, record: PatchRecord): Promise<Buffer | null> {
  const { base, head } = record;
  const stored = await readWholeText(db, record);
  if (stored !== null) return stored;
  const args = ['diff', '--binary', '--full-index', '--no-ext-diff', '--no-textconv', '--no-color', base, head];
  const { code, stdout } = await git(args);
  return code === 0 ? stdout : null;
}

import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { treeInfoSchema, type TaskTree, type TreeInfo } from './types.ts';

/** Writes `tree.json`, whole or not at all. */
export async function writeTreeInfo(folder: string, info: TreeInfo): Promise<void> {
  const draft = join(folder, `tree.json.${randomBytes(4).toString('hex')}`);
  await writeFile(draft, `${JSON.stringify(info, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, join(folder, 'tree.json'));
}

/** Opens the tree in a folder. @returns null: there is none, or its `tree.json` cannot be read */
export async function readTree(folder: string): Promise<TaskTree | null> {
  const text = await readFile(join(folder, 'tree.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  const info = parse(text);
  return info === null ? null : { folder, root: join(folder, 'tree'), gitDir: join(folder, 'git'), info };
}

function parse(text: string): TreeInfo | null {
  try {
    return treeInfoSchema.parse(JSON.parse(text));
  } catch {
    return null; // nothing is done with a folder that says nothing of itself
  }
}

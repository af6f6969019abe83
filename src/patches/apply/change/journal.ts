import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { BytePath } from '../person/byte-path.ts';
import type { StateMark } from '../../types.ts';

/** One path that a change replaces, adds or removes. */
export interface PlacedPath {
  path: BytePath;
  /** What the person's file holds before. Null: there is none. */
  before: string | null;
  /** What the new file holds. Null: the path goes. */
  after: string | null;
}

/** What a change of a person's tree is about to do. It is on disk before the first effect, and goes with the last one. */
export interface Journal {
  version: 1;
  /** Full name of the branch; null: a detached HEAD. */
  branch: string | null;
  from: string;
  to: string;
  /** The new file of entry N lies at `new/<path>`, the person's old one is moved to `old/N`. */
  paths: PlacedPath[];
  /** What becomes true of patches once `to` is the commit of the branch. */
  marks: StateMark[];
}

const FILE = 'journal.json';

export async function writeJournal(folder: string, journal: Journal): Promise<void> {
  const draft = join(folder, `${FILE}.new`);
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(journal));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(folder, FILE));
}

/** @returns null: the folder's command had changed nothing yet */
export async function readJournal(folder: string): Promise<Journal | null> {
  const text = await readFile(join(folder, FILE), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : (JSON.parse(text) as Journal);
}

import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../files/make-folder.ts';
import { writeAtomically } from '../../files/atomic-write.ts';

/**
 * What became of a file. `left`: it is there and not as the fleet wrote it, so that it is the person's and stays. `same`: it holds
 * this text already.
 */
export type Placed = 'written' | 'updated' | 'same' | 'left';

/** The last line of a file that the fleet wrote: a hash of all that is before it. */
const MARK = /<!-- written by haiku-fleet ([0-9a-f]{16}); [^\n]*-->\n?$/;

/** The text with its mark. */
export function withMark(text: string): string {
  const body = text.endsWith('\n') ? text : `${text}\n`;
  return `${body}<!-- written by haiku-fleet ${toHash(body)}; change this file and it stays as you leave it -->\n`;
}

/**
 * Writes a file of the fleet's, unless a person has made or changed the one that is there.
 * @param options.dryRun only finds out what would happen. Default false
 */
export async function placeFile(path: string, text: string, options: { dryRun?: boolean } = {}): Promise<Placed> {
  const marked = withMark(text);
  const before = await readBefore(path);
  if (before !== null && (before === 'foreign' || !isAsWritten(before))) return 'left';
  if (before !== null && toLines(before) === marked) return 'same';
  if (options.dryRun !== true) {
    await makeFolder(dirname(path), { setting: '--install' });
    await writeAtomically(path, (write) => write(marked), { keep: before === null });
  }
  return before === null ? 'written' : 'updated';
}

/** @returns null: there is nothing. `foreign`: a link or a folder, which the fleet does not make */
async function readBefore(path: string): Promise<string | null> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return null;
  return found.isFile() ? await readFile(path, 'utf8') : 'foreign';
}

function isAsWritten(text: string): boolean {
  const lines = toLines(text);
  const mark = MARK.exec(lines);
  return mark !== null && toHash(lines.slice(0, mark.index)) === mark[1];
}

/** With the ends of lines as the fleet writes them: git may have changed these. */
function toLines(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

function toHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

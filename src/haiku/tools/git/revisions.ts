import { posix } from 'node:path';
import type { Git } from '../../../git/git.ts';
import { isAllowedName } from '../files/safe-path.ts';
import { ToolRefusal } from '../tool-refusal.ts';

/** @throws ToolRefusal for a word that git could take for an option, or for a path outside the workspace */
export function checkRevision(word: string): string {
  if (/^[-/]|(^|[/:])\.\.(\/|$)|^:\(|\0/.test(word) || word === '') {
    throw new ToolRefusal(`git: ${JSON.stringify(word)} is neither a revision nor a path in the workspace`);
  }
  return word;
}

/**
 * Checks what revisions name: a file in history may not have a guarded name, and the bare id of a file's content, whose
 * name is unknown, is refused.
 * @returns whether all of them are single files, so that git takes no path patterns with them
 * @throws ToolRefusal naming the revision
 */
export async function checkRevisions(
  revisions: readonly string[],
  files: readonly string[],
  git: Git,
): Promise<boolean> {
  const parts = revisions.flatMap(toParts);
  for (const part of parts) checkNames(part, files);
  const types = await readTypes(parts, git);
  const blobs = parts.filter((_part, i) => types[i] === 'blob');
  const bare = blobs.find((part) => !part.includes(':'));
  if (bare !== undefined) {
    throw new ToolRefusal(`git: ${JSON.stringify(bare)}: is the content of a file; name it as REVISION:path`);
  }
  return parts.length > 0 && blobs.length === parts.length;
}

/** The ends of a range, without the marks of one (`^a`, `a^!`, `a^@`). */
function toParts(revision: string): string[] {
  return revision
    .split(/\.{2,3}/)
    .map((part) => part.replace(/^\^+/, '').replace(/\^[!@]$|\^-\d*$/, ''))
    .filter((part) => part !== '');
}

/** Whatever colon divides revision and path, the path may not be guarded: `:/word` and `HEAD^{/a:b}:c` have several. */
function checkNames(part: string, files: readonly string[]): void {
  for (let colon = part.indexOf(':'); colon >= 0; colon = part.indexOf(':', colon + 1)) {
    const path = posix.normalize(part.slice(colon + 1).replace(/^\d:/, ''));
    if (isAllowedName(path, files)) continue;
    throw new ToolRefusal(`git: ${JSON.stringify(part)}: is named like a file of secrets`);
  }
}

async function readTypes(parts: readonly string[], git: Git): Promise<string[]> {
  if (parts.length === 0) return [];
  const lines = parts.map((part) => part.replaceAll('\n', ' ')).join('\n');
  const { stdout } = await git(['cat-file', '--batch-check=%(objecttype)'], { input: `${lines}\n` });
  // git peels no tag here, and a tag can name a file's content.
  const types = (stdout?.toString('utf8') ?? '').split('\n').slice(0, parts.length);
  return await Promise.all(types.map(async (type, i) => (type === 'tag' ? await peel(parts[i] ?? '', git) : type)));
}

async function peel(part: string, git: Git): Promise<string> {
  const { stdout } = await git(['cat-file', '-t', `${part}^{}`]);
  return stdout?.toString('utf8').trim() ?? '';
}

import { posix } from 'node:path';
import type { Git } from '../../../git/git.ts';
import { isAllowedName } from '../files/safe-path.ts';
import { ToolRefusal } from '../tool-refusal.ts';

/** Ids of the folder that holds nothing: what the first commit is compared with. */
const EMPTY_TREES = new Set([
  '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
  '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321',
]);

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
  await refuseBareTrees(parts, git);
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

/**
 * A folder that is named by its own id, or by a tag, could have any name: only one of a commit, or git's empty one, is named whole.
 * @throws ToolRefusal naming the revision
 */
async function refuseBareTrees(parts: readonly string[], git: Git): Promise<void> {
  const roots = parts.map((part) => part.replace(/:.*$/s, '').replace(/(\^\{(tree)?\})+$/, ''));
  const types = await readTypes(roots, git);
  const bare = parts.find((_part, i) => types[i] === 'tree' && !EMPTY_TREES.has(roots[i] ?? ''));
  if (bare === undefined) return;
  throw new ToolRefusal(`git: ${JSON.stringify(bare)}: names a folder without its commit; name it as REVISION:path`);
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

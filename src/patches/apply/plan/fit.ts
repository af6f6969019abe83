import { askGit, mustGit, type Git } from '../../../git/git.ts';
import { splitNul, toShown } from '../person/byte-path.ts';
import { listTreeChanges, type TreeChange } from '../person/tree-changes.ts';

/** How a patch fits on a tree. */
export type Fit =
  | { fits: true; tree: string; changes: TreeChange[] }
  | { fits: false; /** Shown paths; empty: not known. */ paths: string[]; why: string };

/**
 * Tries a patch on a tree. Afterwards the index holds the new tree, or the old one where the patch does not fit.
 * @param git with a private index that holds `onto`
 * @param onto id of a tree
 * @param options.isThreeWay whether a patch whose context differs is merged with the versions that it was made from
 * @throws GitError
 */
export async function fitPatch(
  git: Git,
  text: Buffer,
  { onto, isThreeWay }: { onto: string; isThreeWay: boolean },
): Promise<Fit> {
  const strict = await tryPatch(git, text, []);
  if (strict.fits) {
    const fit = await toFit(git, onto);
    if (isExact(text, fit.changes)) return fit;
    if (!isThreeWay) return await confirm(git, text, onto, fit);
  }
  await mustGit(git, ['read-tree', onto]);
  if (!strict.fits && !isThreeWay) return strict;
  const merged = await tryPatch(git, text, ['--3way']);
  if (merged.fits) return await toFit(git, onto);
  const unmerged = new Set(splitNul(await mustGit(git, ['ls-files', '-u', '-z'])).map(toPath));
  await mustGit(git, ['read-tree', onto]);
  if (unmerged.size === 0) return merged;
  return { fits: false, paths: [...unmerged].map(toShown), why: 'both sides changed the same lines' };
}

type Fitting = Extract<Fit, { fits: true }>;

/** Whether each file is as the patch found it. */
function isExact(text: Buffer, changes: readonly TreeChange[]): boolean {
  const found = new Set([...text.toString('latin1').matchAll(/^index ([0-9a-f]+)\.\./gm)].map((match) => match[1]));
  return changes.every(({ old }) => old === null || found.has(old.oid));
}

/**
 * A patch finds its place by a few lines around each change, and these can occur twice in a file that has changed. So a merge with the
 * versions that it was made from must come to the same result, where the repository has them.
 */
async function confirm(git: Git, text: Buffer, onto: string, fit: Fitting): Promise<Fit> {
  await mustGit(git, ['read-tree', onto]);
  const merged = await tryPatch(git, text, ['--3way']);
  const agrees = merged.fits && (await askGit(git, ['write-tree'])) === fit.tree;
  await mustGit(git, ['read-tree', agrees ? fit.tree : onto]);
  if (agrees) return fit;
  const why = 'HEAD has changed around it, so that its place is not certain';
  return { fits: false, paths: fit.changes.map(({ path }) => toShown(path)), why };
}

type Trial = { fits: true } | { fits: false; paths: string[]; why: string };

async function tryPatch(git: Git, text: Buffer, more: string[]): Promise<Trial> {
  const { code, output, isTimedOut } = await git(['apply', '--cached', '--whitespace=nowarn', ...more, '-'], {
    input: text,
  });
  if (code === 0) return { fits: true };
  const lines = output.split('\n');
  const read = (rule: RegExp): string[] => lines.flatMap((line) => rule.exec(line)?.[1] ?? []);
  const gone = read(/^error: (.+): does not exist in index$/);
  const there = read(/^error: (.+): already exists in index$/);
  const failed = read(/^error: patch failed: (.+):\d+$/);
  const other = read(/^error: (.+): (?:patch does not apply|wrong type|.*does not match.*)$/);
  const paths = [...new Set([...gone, ...there, ...failed, ...other])];
  const first = lines.find((line) => line.startsWith('error: '))?.slice('error: '.length);
  return {
    fits: false,
    paths,
    why: isTimedOut ? 'git reached its deadline' : describe({ gone, there, failed }, first),
  };
}

function describe(
  { gone, there, failed }: Record<'gone' | 'there' | 'failed', string[]>,
  first: string | undefined,
): string {
  const parts = [
    ...(failed.length > 0 ? ['HEAD holds other lines where it changes them'] : []),
    ...(gone.length > 0 ? ['HEAD no longer has a file that it changes'] : []),
    ...(there.length > 0 ? ['HEAD already has a file that it adds'] : []),
  ];
  return parts.length > 0 ? parts.join('; ') : (first ?? 'git refuses it without a reason');
}

async function toFit(git: Git, onto: string): Promise<Fitting> {
  const tree = await askGit(git, ['write-tree']);
  return { fits: true, tree, changes: await listTreeChanges(git, onto, tree) };
}

/** `mode oid stage\tpath` */
function toPath(line: string): string {
  return line.slice(line.indexOf('\t') + 1);
}

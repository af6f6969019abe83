import type { Finding } from '../../findings/finding.ts';
import { listGit, type Git } from '../../git/git.ts';

type Change = Finding['changes'][number];

/** Options that every diff of a patch has: no program runs, and each path stands for itself. */
const PLAIN = ['-r', '--no-renames', '--no-ext-diff', '--no-textconv', '--no-color'] as const;

/** What two commits differ in, by file: lines of a binary file count as none. */
export async function describeDiff(git: Git, base: string, head: string): Promise<Change[]> {
  const items = await listGit(git, ['diff-tree', ...PLAIN, '--numstat', '-z', base, head, '--']);
  const changes = items.map((item): Change => {
    const [added = '', removed = '', ...path] = item.split('\t');
    return { path: path.join('\t'), added: toCount(added), removed: toCount(removed), lines: '0-0' };
  });
  const ranges = await readRanges(git, base, head);
  if (ranges?.length !== changes.length) return changes;
  return changes.map((change, i) => ({ ...change, lines: ranges[i] ?? '0-0' }));
}

/** The text of a patch. @returns null: it is longer than what is held */
export async function readDiffText(git: Git, base: string, head: string): Promise<Buffer | null> {
  const { code, stdout } = await git([
    'diff-tree',
    ...PLAIN,
    '-p',
    '--binary',
    '--full-index',
    '--src-prefix=a/',
    '--dst-prefix=b/',
    base,
    head,
    '--',
  ]);
  return code === 0 ? stdout : null;
}

function toCount(text: string): number {
  return text === '-' ? 0 : Number(text);
}

/** First and last changed line of each file, in the order of the files. @returns null: the diff is longer than what is held */
async function readRanges(git: Git, base: string, head: string): Promise<string[] | null> {
  const { code, stdout } = await git(['diff-tree', ...PLAIN, '-p', '-U0', base, head, '--']);
  if (code !== 0 || stdout === null) return null;
  const ranges: string[] = [];
  for (const section of stdout
    .toString('latin1')
    .split(/^diff --git /m)
    .slice(1))
    ranges.push(toRange(section));
  return ranges;
}

function toRange(section: string): string {
  if (/^deleted file mode /m.test(section.slice(0, section.search(/^@@ |^$/m)))) return 'deleted';
  let [first, last] = [Infinity, 0];
  for (const [, from = '', count = '1'] of section.matchAll(/^@@ -\S+ \+(\d+)(?:,(\d+))? @@/gm)) {
    const start = Math.max(1, Number(from));
    first = Math.min(first, start);
    last = Math.max(last, start + Math.max(0, Number(count) - 1));
  }
  return last === 0 ? '0-0' : `${first}-${last}`;
}

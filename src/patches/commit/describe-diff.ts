import type { Finding } from '../../findings/finding.ts';
import { listGit, type Git } from '../../git/git.ts';

type Change = Finding['changes'][number];

export interface Diff {
  changes: Change[];
  /** As `git diff --binary --full-index` writes it. Null: it is longer than what is held. */
  text: Buffer | null;
}

/** Options that every diff of a patch has: no program runs, and each path stands for itself. */
const PLAIN = ['-r', '--no-renames', '--no-ext-diff', '--no-textconv', '--no-color'] as const;
const PREFIXES = ['--src-prefix=a/', '--dst-prefix=b/'] as const;
/** Longest text in which changed lines are looked for. Bytes. */
const LONGEST = 2 * 1024 * 1024;
const UNKNOWN = '0-0';

/** What two commits differ in. A binary file has the lines `0-0`, and so has each file of a very long diff. */
export async function describeDiff(git: Git, base: string, head: string): Promise<Diff> {
  const [items, { code, stdout }] = await Promise.all([
    listGit(git, ['diff-tree', ...PLAIN, '--numstat', '-z', base, head, '--']),
    git(['diff-tree', ...PLAIN, ...PREFIXES, '-p', '--binary', '--full-index', base, head, '--']),
  ]);
  const text = code === 0 ? stdout : null;
  const ranges = text === null || text.length > LONGEST ? [] : toRanges(text.toString('latin1'));
  const isWhole = ranges.length === items.length;
  const changes = items.map((item, i): Change => {
    const [added = '', removed = '', ...path] = item.split('\t');
    const lines = (isWhole ? ranges[i] : undefined) ?? UNKNOWN;
    return { path: path.join('\t'), added: toCount(added), removed: toCount(removed), lines };
  });
  return { changes, text };
}

function toCount(text: string): number {
  return text === '-' ? 0 : Number(text);
}

/** First and last changed line of each file, in the order of the files. */
function toRanges(text: string): string[] {
  return text
    .split(/^diff --git /m)
    .slice(1)
    .map(toRange);
}

function toRange(section: string): string {
  const body = section.search(/^@@ /m);
  if (/^deleted file mode /m.test(body < 0 ? section : section.slice(0, body))) return 'deleted';
  if (body < 0) return UNKNOWN;
  let [first, last, line] = [Infinity, 0, 0];
  for (const each of section.slice(body).split('\n')) {
    const start = /^@@ -\S+ \+(\d+)/.exec(each)?.[1];
    if (start !== undefined) line = Number(start);
    else if (each.startsWith('+') || each.startsWith('-')) {
      const at = Math.max(1, line);
      first = Math.min(first, at);
      if (each.startsWith('+')) last = Math.max(last, at);
      if (each.startsWith('+')) line += 1;
    } else if (each.startsWith(' ')) line += 1;
  }
  return first === Infinity ? UNKNOWN : `${first}-${Math.max(first, last)}`;
}

import { countOf } from '../../../../text/plural.ts';
import { startOf } from '../../../../text/start-of.ts';
import { findCause } from './find-cause.ts';
import { toLf } from './line-ends.ts';
import { toNumberedLine } from './numbered-lines.ts';

/** Of a larger file only the beginning is looked at, so that a wrong edit costs little. UTF-16 code units. */
const LOOKED_AT = 1024 * 1024;
const LONGEST_WANTED = LOOKED_AT / 64;
const MOST_LINES = 20_000;
const MOST_WANTED = 12;
const LINE_LENGTH = 300;
/** Places that are compared as a whole. */
const CANDIDATES = 20;
/** Below it lines have nothing to do with each other. */
const LEAST_LIKE = 0.4;
const SHOWN_LINES = 12;

/** Tells where a text that does not occur in a file nearly does, and why: for the model, as lines of `read`. */
export function describeNearest(text: string, wanted: string): string {
  const start = toLf(startOf(text, LOOKED_AT)).split('\n');
  const lines = start.slice(0, MOST_LINES);
  const isWhole = text.length <= LOOKED_AT && start.length <= MOST_LINES;
  const sought = toLf(startOf(wanted, LONGEST_WANTED));
  const cause = wanted.length > LONGEST_WANTED ? null : findCause(lines, sought); // of a longer one the rest may differ too
  if (cause !== null) return `It differs from these lines only in ${cause.name}:\n${show(lines, cause, sought)}`;
  const near = findLike(lines, sought.split('\n').slice(0, MOST_WANTED));
  const nothing = isWhole
    ? 'Nothing in it is similar.'
    : `Nothing in its first ${countOf(lines.length, 'line')} is similar.`;
  return near === null ? nothing : `The nearest lines are:\n${show(lines, near, sought)}`;
}

function show(lines: readonly string[], { from, to }: { from: number; to: number }, wanted: string): string {
  const end = Math.min(to + 1, from + SHOWN_LINES);
  const shown = lines.slice(from, end).map((line, i) => toNumberedLine(from + i + 1, shorten(line, wanted)));
  return [...shown, ...(end <= to ? [`[and ${to + 1 - end} more]`] : [])].join('\n');
}

/** Of a long line, what lies around the first piece that it shares with the wanted text. */
function shorten(line: string, wanted: string): string {
  if (line.length <= LINE_LENGTH) return line;
  const start = Math.max(0, findShared(line, wanted) - LINE_LENGTH / 4);
  const before = start === 0 ? '' : `[… from character ${Array.from(line.slice(0, start)).length + 1}] `;
  const rest = line.slice(start);
  return `${before}${startOf(rest, LINE_LENGTH)}${rest.length > LINE_LENGTH ? ' […]' : ''}`.toWellFormed();
}

function findShared(line: string, wanted: string): number {
  for (const length of [32, 16, 8]) {
    for (let at = 0; at < Math.min(wanted.length, 16 * LINE_LENGTH); at += length / 2) {
      const piece = wanted.slice(at, at + length);
      const found = piece.length < length || piece.includes('\n') ? -1 : line.indexOf(piece);
      if (found >= 0) return Math.max(0, found - at);
    }
  }
  return 0;
}

/** Finds the lines that are most like the wanted ones, by the pairs of characters that they share. */
function findLike(lines: readonly string[], wanted: readonly string[]): { from: number; to: number } | null {
  const parts = wanted.map((line) => toPairs(line.trim()));
  const telling = parts.reduce((best, part, i) => (part.count > (parts[best]?.count ?? 0) ? i : best), 0);
  const anchor = parts[telling];
  if (anchor === undefined || anchor.count === 0) return null;
  const likeness = lines.map((line) => compare(anchor, line.trim()));
  const places = likeness
    .map((like, line) => ({ like, line }))
    .toSorted((a, b) => b.like - a.like)
    .slice(0, CANDIDATES)
    .map(({ line }) => {
      const from = line - telling;
      return { from, like: likenessOf(parts, lines.slice(Math.max(0, from), from + parts.length), Math.max(0, -from)) };
    });
  const best = places.reduce((one, other) => (other.like > one.like ? other : one), places[0] ?? { from: 0, like: 0 });
  if (best.like < LEAST_LIKE) return null;
  return { from: Math.max(0, best.from), to: Math.min(lines.length, best.from + wanted.length) - 1 };
}

/** How like a run of lines is to the wanted ones, weighted by length: 0 to 1. @param skipped wanted lines before the run */
function likenessOf(parts: readonly Pairs[], lines: readonly string[], skipped: number): number {
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  const shared = lines.reduce((sum, line, i) => {
    const part = parts[i + skipped];
    return part === undefined ? sum : sum + part.count * compare(part, line.trim());
  }, 0);
  return total === 0 ? 0 : shared / total;
}

interface Pairs {
  counts: Map<number, number>;
  count: number;
}

function toPairs(line: string): Pairs {
  const counts = new Map<number, number>();
  const length = Math.min(line.length, LINE_LENGTH);
  for (let i = 1; i < length; i += 1) {
    const pair = pairAt(line, i);
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  return { counts, count: Math.max(0, length - 1) };
}

function pairAt(line: string, i: number): number {
  return line.charCodeAt(i - 1) * 0x1_0000 + line.charCodeAt(i);
}

/** The share of pairs that a line has in common with others (Sørensen–Dice): 0 to 1. */
function compare({ counts, count }: Pairs, line: string): number {
  const length = Math.min(line.length, LINE_LENGTH);
  if (count === 0 || length < 2) return 0;
  const seen = new Map<number, number>();
  let shared = 0;
  for (let i = 1; i < length; i += 1) {
    const pair = pairAt(line, i);
    const most = counts.get(pair);
    if (most === undefined) continue;
    const used = seen.get(pair) ?? 0;
    if (used >= most) continue;
    seen.set(pair, used + 1);
    shared += 1;
  }
  return (2 * shared) / (count + length - 1);
}

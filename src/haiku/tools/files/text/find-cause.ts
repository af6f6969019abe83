import { normalize } from '../../../../text/normalize.ts';
import { findAll } from './find-all.ts';
import { isNumbered, withoutNumbers } from './numbered-lines.ts';

/** One way in which a text can differ from what it was copied from. */
interface Fold {
  /** What differs. */
  name: string;
  /** Removes the difference from one line. */
  line(text: string): string;
}

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", apos: "'", nbsp: ' ' };

const toComposed: Fold = {
  name: 'how letters with accents are composed (NFC or NFD): put old_string around them',
  line: (text) => normalize(text, 'NFC'),
};
const toTrimmed: Fold = { name: 'white space at line ends', line: (text) => text.trimEnd() };
const toSpaced: Fold = {
  name: 'tabs, indentation or other white space, visible or not',
  line: (text) => text.replaceAll(/[\s\p{Cf}]+/gu, ''),
};
const toPlain: Fold = {
  name: 'quotes, dashes or other typographic characters',
  line: (text) =>
    toSpaced
      .line(normalize(text, 'NFKC'))
      .replaceAll(/[\u2018\u2019\u201A\u2032`´]/g, "'")
      .replaceAll(/[\u201C-\u201F\u2033«»]/g, '"')
      .replaceAll(/[\u2010-\u2015\u2212]/g, '-'),
};
const toUnescaped: Fold = {
  name: 'escapes such as \\" or &lt;',
  line: (text) =>
    toSpaced
      .line(text.replaceAll(/&(amp|lt|gt|quot|#39|apos|nbsp);/g, (whole, name: string) => NAMED[name] ?? whole))
      .replaceAll(/\\(?=["'`\\/$])/g, ''),
};
const toLowered: Fold = { name: 'upper and lower case', line: (text) => toPlain.line(text).toLowerCase() };

/** From the smallest difference to the largest. */
const FOLDS = [toTrimmed, toComposed, toSpaced, toPlain, toUnescaped, toLowered];

/** Where a text nearly occurs, and what differs. Lines count from 0. */
export interface Cause {
  name: string;
  from: number;
  to: number;
}

/**
 * Finds the lines that differ from `wanted` in one known way only.
 * @param lines of the file, without line ends
 */
export function findCause(lines: readonly string[], wanted: string): Cause | null {
  const bare = isNumbered(wanted) ? withoutNumbers(wanted) : null;
  const found = bare === null ? null : locate(lines, bare.split('\n'), toTrimmed);
  if (found !== null) return { name: 'the line numbers that read shows, which are not part of the file', ...found };
  for (const fold of FOLDS) {
    const place = locate(lines, wanted.split('\n'), fold);
    if (place !== null) return { name: fold.name, ...place };
  }
  const spelt = wanted.replaceAll(String.raw`\n`, '\n').replaceAll(String.raw`\t`, '\t');
  const place = spelt === wanted ? null : locate(lines, spelt.split('\n'), toSpaced);
  return place === null ? null : { name: String.raw`\n or \t spelt out instead of a line end or tab`, ...place };
}

function locate(
  lines: readonly string[],
  wanted: readonly string[],
  { line }: Fold,
): { from: number; to: number } | null {
  const sought = wanted
    .map(line)
    .join('\n')
    .replaceAll(/^\n+|\n+$/g, '');
  if (sought.trim() === '') return null;
  const text = lines.map(line).join('\n');
  const [at] = findAll(text, sought, 1);
  if (at === undefined) return null;
  const from = countNewlines(text.slice(0, at));
  return { from, to: from + countNewlines(sought) };
}

function countNewlines(text: string): number {
  return text.split('\n').length - 1;
}

/**
 * How alike two names of letters and words are, 0..1. Words that one has and the other lacks count less than other words.
 * @param one, other words are separated by `_`
 */
export function toLikeness(one: string, other: string): number {
  const letters = [one, other].map((name) => name.replaceAll(/[^A-Za-z0-9]/g, ''));
  const [short = '', long = ''] = letters.toSorted((x, y) => x.length - y.length);
  const byLetters = 1 - countEdits(short, long) / Math.max(1, long.length);
  const [wordsOfOne, wordsOfOther] = [new Set(one.split('_')), new Set(other.split('_'))];
  const shared = [...wordsOfOne].filter((word) => wordsOfOther.has(word)).length;
  const byWords = shared === 0 ? 0 : shared / Math.max(wordsOfOne.size, wordsOfOther.size);
  const byStart = long.startsWith(short) && short.length * 2 > long.length ? 0.8 : 0;
  return Math.max(byLetters, byWords, byStart);
}

/** Letters to insert, remove or replace (Levenshtein). */
export function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

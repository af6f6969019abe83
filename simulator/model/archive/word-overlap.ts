import type { ShownFinding } from './archive-prompt.ts';

const MOST_FINDINGS = 5;
/** Share of the best score from which a finding is taken too, and of common words from which two sentences have one subject. */
const NEARLY_AS_GOOD = 0.6;

const STOP_WORDS = new Set(
  `a about all also an and any are as at be been but by can could did do does for found from had has have how i if in into is it its
  just know known learn learned me more most much my no not of on or our out over say said says should so some tell than that the their
  them then there these they this those to under up us was we were what when where which who why will with would you your`
    .split(/\s+/)
    .filter(Boolean),
);

/** A finding that shares words with the question, and its sentence that shares most. */
export interface Match {
  finding: ShownFinding;
  sentence: string;
}

/** The findings that share most words with the question, oldest first. Rare words weigh more. Empty if none shares a word. */
export function findMatches(question: string, findings: readonly ShownFinding[]): Match[] {
  const asked = new Set(toWords(question));
  const found = findings.map((finding) => ({
    finding,
    words: new Set(toWords(`${finding.text} ${finding.attributes}`).filter((word) => asked.has(word))),
  }));
  const spread = new Map<string, number>();
  for (const { words } of found) for (const word of words) spread.set(word, (spread.get(word) ?? 0) + 1);
  const weigh = (words: Iterable<string>): number =>
    [...words].reduce((sum, word) => sum + Math.log(1 + findings.length / (spread.get(word) ?? 1)), 0);
  const scored = found.map(({ finding, words }) => ({ finding, score: weigh(words) / lengthPenalty(finding.text) }));
  const best = Math.max(0, ...scored.map(({ score }) => score));
  if (best === 0) return [];
  const chosen = scored
    .filter(({ score }) => score >= NEARLY_AS_GOOD * best)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, MOST_FINDINGS);
  const order = new Set(chosen.map(({ finding }) => finding));
  const picked = findings
    .filter((finding) => order.has(finding))
    .map((finding) => ({ finding, ...pickSentence(finding.text, asked, weigh) }));
  const speaking = picked.filter(({ rank }) => rank > LISTED);
  return (speaking.length > 0 ? speaking : picked).map(({ finding, sentence }) => ({ finding, sentence }));
}

/** Lowers the score of a long text: it shares many words by its length alone. */
function lengthPenalty(text: string): number {
  return 1 + Math.log2(1 + text.length / 4_000);
}

/** Pairs of sentences that have one subject and differ in a number. */
export function findContradictions(matches: readonly Match[]): [Match, Match][] {
  return matches.flatMap((match, i) =>
    matches.slice(i + 1).flatMap((other): [Match, Match][] => (contradicts(match, other) ? [[match, other]] : [])),
  );
}

function contradicts(a: Match, b: Match): boolean {
  const [numbersA, numbersB] = [toNumbers(a.sentence), toNumbers(b.sentence)];
  if (numbersA.length === 0 || numbersB.length === 0 || numbersA.join() === numbersB.join()) return false;
  const subject = (match: Match): Set<string> => new Set(toWords(match.sentence).filter((word) => !/\d/.test(word)));
  const [wordsA, wordsB] = [subject(a), subject(b)];
  const shared = [...wordsA].filter((word) => wordsB.has(word)).length;
  return shared > 0 && shared / (wordsA.size + wordsB.size - shared) >= NEARLY_AS_GOOD;
}

/** Ranks of a sentence: items of lists and data last, then the first line, which mostly repeats the task. */
const LISTED = 1;
const ASKED = 2;
const SAID = 3;

function pickSentence(
  text: string,
  asked: ReadonlySet<string>,
  weigh: (words: Iterable<string>) => number,
): { sentence: string; rank: number } {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const scored = lines.flatMap((line, i) =>
    line.split(/(?<=[.!?])\s+/).map((part) => {
      const score = weigh(new Set(toWords(part).filter((word) => asked.has(word))));
      const kind = /^\s*(?:- |[{[])/.test(line) ? LISTED : i === 0 && lines.length > 1 ? ASKED : SAID;
      const sentence = part.replace(/^\s*- +/, '').trim();
      return { sentence: sentence.slice(0, 300), score, rank: score === 0 ? 0 : kind };
    }),
  );
  return scored.toSorted((a, b) => b.rank - a.rank || b.score - a.score)[0] ?? { sentence: text, rank: 0 };
}

/** Words in lower case, without plural s and without stop words. */
export function toWords(text: string): string[] {
  return [...text.toLowerCase().matchAll(/[\p{L}\p{N}][\p{L}\p{N}_-]*/gu)]
    .map(([word]) => (word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word))
    .filter((word) => word.length > 1 && !STOP_WORDS.has(word));
}

function toNumbers(text: string): string[] {
  return [...text.matchAll(/\d+(?:[.,]\d+)*/g)].map(([number]) => number);
}

import { checkCitations } from '../../librarian/answer/citations.ts';

/** A full stop after one of these words, or after a single capital, does not end a sentence. */
const ABBREVIATION =
  /(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|ca|no|nos|vol|fig|dr|mr|mrs|ms|prof|inc|ltd|st)|\b\p{Lu})\.\s*$/iu;
const LIST_ITEM = /^\s*(?:[-*+•]|\d{1,3}[.)])\s+/;
const HEADING = /^\s*#{1,6}\s/;
const FENCE = /^\s*(?:```|~~~)/;
/** `claim. [id]`: the citation belongs to the sentence in front of it. */
const CITED_BEHIND = /([.!?]["”’)]?)\s*((?:\[[^[\]]+\]\s*)+)/g;

/** Created at its first use, because it loads the locale data of Node. */
let sentences: Intl.Segmenter | undefined;

/**
 * Finds the sentences of a text that cite none of the given findings. Each sentence counts as one claim; headings, code
 * and sentences that end with a colon claim nothing.
 */
export function findUncitedClaims(text: string, given: ReadonlySet<string>): string[] {
  return toUnits(text).flatMap((unit) =>
    toSentences(unit).filter((sentence) => {
      if (!isClaim(sentence)) return false;
      return checkCitations({ text: sentence, listed: [] }, given).kind === 'none';
    }),
  );
}

/** Splits a text into paragraphs and list items, each on one line. */
function toUnits(text: string): string[] {
  const units: string[] = [];
  let open = false; // the next line continues the last unit
  let fenced = false;
  for (const line of text.split('\n')) {
    if (FENCE.test(line)) fenced = !fenced;
    if (fenced || FENCE.test(line) || HEADING.test(line) || line.trim() === '') {
      open = false;
      continue;
    }
    const words = line.replace(LIST_ITEM, '').trim();
    if (open && !LIST_ITEM.test(line)) units.push(`${units.pop() ?? ''} ${words}`);
    else units.push(words);
    open = true;
  }
  return units;
}

function toSentences(unit: string): string[] {
  const found: string[] = [];
  const plain = unit.replaceAll(CITED_BEHIND, (_, end: string, ids: string) => ` ${ids.trim()}${end} `);
  sentences ??= new Intl.Segmenter('en', { granularity: 'sentence' });
  let begun = '';
  for (const { segment } of sentences.segment(plain)) {
    begun += segment;
    if (ABBREVIATION.test(begun)) continue;
    found.push(begun.trim());
    begun = '';
  }
  return begun.trim() === '' ? found : [...found, begun.trim()];
}

function isClaim(sentence: string): boolean {
  if (sentence.endsWith(':')) return false;
  return (sentence.match(/[\p{L}\p{N}]{2,}/gu) ?? []).length >= 2;
}

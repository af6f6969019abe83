import { checkCitations } from '../../librarian/answer/citations.ts';

/** A full stop behind one of these ends no sentence, and neither does one behind a single capital. */
const ABBREVIATION =
  /(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|ca|no|nos|vol|fig|dr|mr|mrs|ms|prof|inc|ltd|st)|\b\p{Lu})\.\s*$/iu;
const LIST_ITEM = /^\s*(?:[-*+•]|\d{1,3}[.)])\s+/;
const HEADING = /^\s*#{1,6}\s/;
const FENCE = /^\s*(?:```|~~~)/;
/** `claim. [id]`: the citation belongs to the sentence before it. */
const CITED_BEHIND = /([.!?]["”’)]?)\s*((?:\[[^[\]]+\]\s*)+)/g;

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });

/**
 * The sentences of a text that cite none of the findings it was given. A sentence is the nearest thing to a claim that can
 * be told apart; headings, code and lead-ins that end with a colon claim nothing.
 */
export function findUncitedClaims(text: string, given: ReadonlySet<string>): string[] {
  return toUnits(text).flatMap((unit) =>
    toSentences(unit).filter((sentence) => {
      if (!isClaim(sentence)) return false;
      return checkCitations({ text: sentence, listed: [] }, given).kind === 'none';
    }),
  );
}

/** Paragraphs and list items, each on one line. */
function toUnits(text: string): string[] {
  const units: string[] = [];
  let open = false; // the next line goes on with the last unit
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

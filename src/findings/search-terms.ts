import { isCommonWord } from '../text/common-words.ts';
import { normalize } from '../text/normalize.ts';

/** Most words and phrases of a query that are looked for: each costs a look through every finding. */
const MOST_TERMS = 32;

/** A word of a query, or a quoted phrase. */
export interface SearchTerm {
  /** As it is compared: `foldText` of the words. */
  text: string;
  /** As it was written, without quotes: it may be an id. */
  written: string;
}

/** `"rate limit"`, also with typographic quotes, or a word; a quote without its partner belongs to the word. */
const TERM = /"([^"]+)"|“([^”]+)”|(\S+)/gu;
/** Marks around a word that belong to the sentence: `(rate-limits?)` is looked for as `rate-limits`, `.env` and `C++` as they are. */
const BEFORE = /^[([{"'“”‘’«»¿¡]+/u;
const AFTER = /[()[\]{}"'“”‘’«».,;:!?…]+$/u;

/**
 * Splits a query into what is looked for. Common English words are left out unless the query has no others; so are repeated
 * ones, those beyond 32, and marks such as `?` outside quotes. Empty: the query has no word.
 */
export function toSearchTerms(query: string): SearchTerm[] {
  const terms = [...query.matchAll(TERM)].flatMap(([, quoted, curly, word]): (SearchTerm & { isCommon: boolean })[] => {
    const phrase = quoted ?? curly;
    const written = phrase ?? (word ?? '').replace(BEFORE, '').replace(AFTER, '');
    const text = foldText(written.replace(/^finding:(?=\S)/, ''));
    return text.trim() === '' ? [] : [{ text, written, isCommon: phrase === undefined && isCommonWord(text) }];
  });
  const telling = terms.filter(({ isCommon }) => !isCommon);
  const kept = new Map((telling.length === 0 ? terms : telling).map(({ text, written }) => [text, { text, written }]));
  return [...kept.values()].slice(0, MOST_TERMS);
}

/** A text as it is compared: in one case, each accented letter as one character where Unicode has one (NFC). Accents count. */
export function foldText(text: string): string {
  return normalize(normalize(text, 'NFC').toLowerCase(), 'NFC');
}

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { foldText, toSearchTerms } from '../../../src/findings/search-terms.ts';
import { anyText } from '../../support/any-text.ts';

const terms = (query: string): string[] => toSearchTerms(query).map(({ text }) => text);

it.each([
  ['rate limits', ['rate', 'limits']],
  ['What is the quota of Gemini?', ['quota', 'gemini']],
  ['the of', ['the', 'of']], // a query of common words alone is searched for them
  ['"The rate limit" gemini', ['the rate limit', 'gemini']],
  ['“rate limit”, gemini', ['rate limit', 'gemini']],
  ['a "half quote', ['half', 'quote']],
  ['"" " " tea', ['tea']],
  [
    '(rate-limits), src/a.ts; .env C++ #12 --grep foo()',
    ['rate-limits', 'src/a.ts', '.env', 'c++', '#12', '--grep', 'foo'],
  ],
  ['=> ??? "???" …', ['=>', '???']],
  ['Tea tea TEA', ['tea']],
  ['ÄPFEL a\u0308pfel', ['äpfel']],
  ['crème', ['crème']],
  ['速率限制', ['速率限制']],
  [' \n\t ', []],
])('%j is searched for %j', (query, expected) => {
  expect(terms(query)).toEqual(expected);
});

it('keeps an id as it was written', () => {
  expect(toSearchTerms('finding:Finding_A1.')).toEqual([{ text: 'finding_a1', written: 'finding:Finding_A1' }]);
});

it('looks for 32 words at most, none of them empty', () => {
  expect(terms(Array.from({ length: 100 }, (_, i) => `w${i}`).join(' '))).toHaveLength(32);
  fc.assert(
    fc.property(anyText(), (query) => {
      for (const term of terms(query)) expect(term.trim()).not.toBe('');
    }),
  );
});

it('folds case and composition, and leaves accents', () => {
  expect(foldText('CAFE\u0301')).toBe('café');
  expect(foldText('cafe')).not.toBe(foldText('café'));
});

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkCitations } from '../../../src/librarian/answer/citations.ts';
import { toAnswer } from '../../../src/librarian/answer/reply.ts';
import type { ArchiveFinish } from '../../../src/models/archive-model.ts';

const shown = new Set([
  'finding_ab12',
  'finding_cd34',
  'audit-7',
  '2f1c9a3e-0b1d-4c5e-9f00-aa11bb22cc33',
  'mission:42',
]);
const check = (text: string, listed: string[] = []) => checkCitations({ text, listed }, shown);
const read = (text: string, finish: ArchiveFinish = 'stop', finishWords = 'STOP') =>
  toAnswer({ text, finish, finishWords }, shown);
const reply = (answer: unknown, citations: unknown = []) => read(JSON.stringify({ answer, citations }));

describe('citations', () => {
  test('of ids with signs that the prompt replaces are known in both forms', () => {
    const odd = new Set(['say "tea"', 'a\tb', 'plain']);
    const { ids } = checkCitations({ text: 'So [a b].', listed: ['say &quot;tea&quot;', 'say "tea"'] }, odd) as {
      ids: string[];
    };
    expect(ids.toSorted()).toEqual(['a\tb', 'say "tea"']);
  });

  test.each([
    ['one id', 'It is 4 [finding_ab12].', ['finding_ab12']],
    ['several in one bracket', 'Both [finding_ab12, audit-7].', ['finding_ab12', 'audit-7']],
    ['several brackets', '[finding_ab12][finding_cd34]', ['finding_ab12', 'finding_cd34']],
    ['semicolons', '[finding_ab12; finding_cd34]', ['finding_ab12', 'finding_cd34']],
    ['the key prefix and quotes', 'So [`finding:finding_ab12`]', ['finding_ab12']],
    ['a UUID', '[2f1c9a3e-0b1d-4c5e-9f00-aa11bb22cc33]', ['2f1c9a3e-0b1d-4c5e-9f00-aa11bb22cc33']],
    ['an id with a colon', '[mission:42]', ['mission:42']],
  ])('are read from text: %s', (_, text, ids) => {
    expect(check(text)).toEqual({ kind: 'cited', ids });
  });

  test('in text and list are one set', () => {
    expect(check('A [finding_ab12].', ['audit-7', 'finding_ab12'])).toEqual({
      kind: 'cited',
      ids: ['audit-7', 'finding_ab12'],
    });
  });

  test.each([
    ['beside a known one', '[finding_ab12, finding_zz99]', 'finding_zz99'],
    ['of another family that was shown', '[audit-8]', 'audit-8'],
    ["of the archive's own answers", '[archive_q1]', 'archive_q1'],
    ['a UUID', '[11111111-0b1d-4c5e-9f00-aa11bb22cc33]', '11111111-0b1d-4c5e-9f00-aa11bb22cc33'],
  ])('that were not shown are unknown: %s', (_, text, id) => {
    expect(check(text)).toEqual({ kind: 'unknown', ids: [id] });
  });

  test('in the list are taken by their word, whatever their form', () => {
    expect(check('So it is [finding_ab12].', ['nonsense'])).toEqual({ kind: 'unknown', ids: ['nonsense'] });
  });

  test.each(['list[0] of [x] and [sic]', 'see [the page](https://example.com/)', '[2026-11-21]', 'no brackets', '[]'])(
    'are not seen in %j',
    (text) => {
      expect(check(text)).toEqual({ kind: 'none' });
    },
  );

  test('never make an id known that was not shown', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (text, listed) => {
        const result = check(text, listed);
        return result.kind !== 'cited' || result.ids.every((id) => shown.has(id));
      }),
    );
  });
});

const whole = JSON.stringify({ answer: 'Four [finding_ab12].', citations: ['finding_ab12'] });

describe('a reply', () => {
  test('becomes an answer with the ids it rests on', () => {
    expect(reply('Four [finding_ab12].', ['finding_ab12'])).toEqual({
      text: 'Four [finding_ab12].',
      citations: ['finding_ab12'],
    });
  });

  test('that nothing is in the archive needs no citation', () => {
    expect(reply('NOT IN ARCHIVE')).toEqual({ text: 'NOT IN ARCHIVE', citations: [] });
    expect(reply('**NOT IN ARCHIVE**: nothing on tea').citations).toEqual([]);
  });

  test('inside a code fence is read', () => {
    const text = '```json\n{"answer": "Yes [audit-7]", "citations": ["audit-7"]}\n```';
    expect(read(text).citations).toEqual(['audit-7']);
  });

  test.each([
    ['uncited', () => reply('Four.'), 'citations', /cites no finding/],
    ['citing the unknown', () => reply('Four [finding_zz99].'), 'citations', /not shown: finding_zz99/],
    ['denying the archive and citing the unknown', () => reply('NOT IN ARCHIVE [finding_zz99]'), 'citations', /zz99/],
    ['empty', () => read(''), 'malformed', /empty/],
    ['with an empty answer', () => reply('  ', ['finding_ab12']), 'malformed', /empty/],
    ['no JSON', () => read('Four [finding_ab12].'), 'malformed', /JSON/],
    ['of another shape', () => reply(4), 'malformed', /JSON/],
    ['cut off', () => read(whole, 'max-tokens', 'MAX_TOKENS'), 'malformed', /cut off \(MAX_TOKENS\)/],
    ['stopped for an unknown reason', () => read(whole, 'other', 'NEW_REASON'), 'malformed', /NEW_REASON/],
    ['without a word', () => read('', 'empty'), 'malformed', /empty/],
    ['blocked half-way', () => read(whole, 'safety', 'SAFETY'), 'refusal', /SAFETY/],
    ['recited', () => read(whole, 'recitation', 'RECITATION'), 'refusal', /RECITATION/],
    ['blocked before it began', () => read('', 'blocked', 'PROHIBITED_CONTENT'), 'refusal', /PROHIBITED_CONTENT/],
  ])('%s is no answer', (_, answer, reason, message) => {
    expect(answer).toThrow(expect.objectContaining({ reason, message: expect.stringMatching(message) }));
  });
});

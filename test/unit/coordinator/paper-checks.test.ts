import { describe, expect, it } from 'vitest';
import { assemblePaper } from '../../../src/coordinator/paper/assemble.ts';
import { checkOutline } from '../../../src/coordinator/paper/outline-call.ts';
import { checkSection } from '../../../src/coordinator/paper/section-call.ts';
import { findUncitedClaims } from '../../../src/coordinator/paper/uncited-claims.ts';
import type { Draft } from '../../../src/coordinator/paper/types.ts';

const GIVEN = new Set(['finding_tea', 'finding_rum']);

describe('findUncitedClaims', () => {
  it.each([
    ['a citation in each sentence', 'There is tea [finding_tea]. There is rum [finding_rum].'],
    ['a citation behind the full stop', 'There is tea. [finding_tea] There is rum. [finding_tea, finding_rum]'],
    ['list items, each cited', 'The store holds:\n- 40 crates of tea [finding_tea]\n- 3 barrels of rum [finding_rum]'],
    ['a sentence over two lines', 'There is tea\nin the store [finding_tea].'],
    ['abbreviations and versions', 'See e.g. Ceylon tea, v2.1 of the list, by Dr. Lind [finding_tea].'],
    ['a heading and a lead-in', '### Stores\n\nTwo things are known:\n\n1. Tea is there [finding_tea].'],
    ['code', 'It is made so [finding_tea]:\n\n```\nput tea. add water.\n```\n\nThen rum [finding_rum].'],
  ])('finds none in %s', (_, text) => {
    expect(findUncitedClaims(text, GIVEN)).toEqual([]);
  });

  it.each([
    ['a sentence before a cited one', 'The tea is fine. There is tea [finding_tea].', ['The tea is fine.']],
    ['a sentence after the last citation', 'There is tea [finding_tea]. All is well.', ['All is well.']],
    ['an uncited list item', '- Tea is there [finding_tea]\n- Rum is there', ['Rum is there']],
    ['a bracket that is no id', 'There is tea [0].', ['There is tea [0].']],
  ])('finds %s', (_, text, claims) => {
    expect(findUncitedClaims(text, GIVEN)).toEqual(claims);
  });
});

describe('checkSection', () => {
  it('gives the text with every id it cites', () => {
    const reply = { text: ' There is tea [finding_tea]. ', citations: ['finding_rum'] };
    expect(checkSection(reply, GIVEN)).toEqual({
      ok: true,
      value: { text: 'There is tea [finding_tea].', citations: ['finding_rum', 'finding_tea'] },
    });
  });

  it.each([
    ['an unknown id', { text: 'There is gin [finding_gin].', citations: [] }, /finding_gin is none of the findings/],
    ['an uncited claim', { text: 'There is much tea.', citations: ['finding_tea'] }, /cites no finding.*much tea/],
    ['an empty text', { text: ' ', citations: [] }, /it is empty/],
    ['another shape', { answer: 'tea' }, /text/],
  ])('says what is wrong with %s', (_, reply, problem) => {
    expect(checkSection(reply, GIVEN)).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
  });

  it('takes NOT IN ARCHIVE for a section on which nothing is known', () => {
    const reply = { text: 'NOT IN ARCHIVE', citations: [] };
    expect(checkSection(reply, GIVEN)).toEqual({ ok: true, value: reply });
  });
});

describe('checkOutline', () => {
  const section = { id: 'tea', title: 'Tea', brief: 'How much there is', question: 'How much tea is there?' };

  it('takes sections that can be asked', () => {
    const outline = { title: 'Stores', sections: [section, { ...section, id: 'rum' }] };
    expect(checkOutline(outline)).toEqual({ ok: true, value: outline });
  });

  it.each([
    ['no section', { title: 'Stores', sections: [] }, /sections/],
    ['two sections of one id', { title: 'Stores', sections: [section, section] }, /the id tea stands twice/],
    ['a section without a question', { title: 'Stores', sections: [{ ...section, question: ' ' }] }, /question/],
  ])('says what is wrong with %s', (_, outline, problem) => {
    expect(checkOutline(outline)).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
  });
});

describe('assemblePaper', () => {
  const tea: Draft = {
    id: 'tea',
    title: 'Tea',
    text: '40 crates [finding_tea].',
    citations: ['finding_tea'],
    kind: 'archive',
  };
  const rum: Draft = {
    id: 'rum',
    title: 'Rum',
    text: '3 barrels [finding_rum].',
    citations: ['finding_rum'],
    kind: 'by-id',
  };
  const finding = {
    finding_id: 'finding_tea',
    at: '2026-11-01T10:00:00.000Z',
    session: 's1',
    result: '40 crates\nof tea',
    citations: [],
    files_changed: [],
    topics: [],
  };
  const paper = (drafts: Draft[]) =>
    assemblePaper({
      title: 'The\nstores',
      missionId: 'mission-1',
      session: 's2',
      model: 'claude-sonnet-5-5',
      archiveModel: 'gemini-3.5-flash-lite',
      shards: {
        at: '2026-11-21T10:00:00.000Z',
        shards: [
          { shard: 1, ok: true, ms: 5, problem: null, left: 1_499 },
          { shard: 2, ok: false, ms: 5, problem: 'key refused', left: 1_500 },
        ],
        roundTripMs: 0.2,
        findingId: 'finding_test',
      },
      drafts,
      sources: [
        { id: 'finding_tea', finding },
        { id: 'finding_rum', finding: null },
      ],
      writtenAt: new Date('2026-11-21T10:15:00Z'),
    });

  it('is title, header, sections and sources', () => {
    expect(paper([tea])).toBe(`# The stores

- Date: 2026-11-21 10:15 UTC
- Session: s2
- Mission: mission-1
- Model: claude-sonnet-5-5; archive: gemini-3.5-flash-lite
- Shards: S1 (without S2: key refused)

## Tea

40 crates [finding_tea].

## Sources

- [finding_tea] 2026-11-01 10:00, s1: 40 crates of tea
- [finding_rum] (no longer there)
`);
  });

  it.each([
    [[tea, rum], '- Written without Gemini from findings read by id: section 2\n'],
    [[rum, rum], '- Written without Gemini from findings read by id\n'],
  ])('says what was written without Gemini', (drafts, line) => {
    expect(paper(drafts)).toContain(line);
  });
});

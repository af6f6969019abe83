import { expect, it } from 'vitest';
import { describeAbout, describeChange } from '../../../src/audit/describe-entry.ts';
import { toFieldChanges } from '../../../src/audit/field-changes.ts';

it('says what a change names', () => {
  expect(describeAbout({ about: {} })).toBe('');
  expect(describeAbout({ about: { batch: 'nightly' } })).toBe('batch nightly');
  expect(describeAbout({ about: { ids: ['a', 'b'], count: 2 } })).toBe('a, b');
  expect(describeAbout({ about: { batch: 'n', ids: ['a', 'b'], count: 40 } })).toBe('batch n, a, b and 38 more');
});

it('says what was before and after', () => {
  expect(describeChange({ before: null, after: null })).toBe('');
  expect(describeChange({ before: { limit: null }, after: { limit: '$5.0000', released: 1_200 } })).toBe(
    'limit none → $5.0000, released 1,200',
  );
  expect(describeChange({ before: { state: 'failed', reason: 'schema' }, after: { state: 'waiting' } })).toBe(
    'state failed → waiting, reason schema',
  );
  expect(describeChange({ before: { paused: false }, after: { paused: true } })).toBe('paused no → yes');
});

it('names the fields that differ, and shows long texts from where they differ', () => {
  const same = 'x'.repeat(1_000);
  const changes = toFieldChanges(
    { description: `${same}one`, kind: 'docs', files: ['a'], model: 'm' },
    { description: `${same}two`, kind: 'docs', files: ['a', 'b'], max_turns: 3 },
  );
  expect(changes).toEqual({
    before: { description: `…${'x'.repeat(20)}one`, files: '["a"]', model: 'm', max_turns: null },
    after: { description: `…${'x'.repeat(20)}two`, files: '["a","b"]', model: null, max_turns: 3 },
  });
  expect(toFieldChanges(null, { a: true })).toEqual({ before: { a: null }, after: { a: true } });
  expect(toFieldChanges({ a: 1 }, { a: 1, b: null })).toEqual({ before: {}, after: {} });
});

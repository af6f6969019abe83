import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idSchema } from '../../../queues/ids.ts';
import { toFindingId } from '../../../src/findings/finding.ts';
import { parseFinding, summarise } from '../../../src/findings/stored.ts';
import { stringifyExact } from '../../../src/text/exact-json.ts';
import { toLocalDay, toLocalTimestamp, toUtcDay } from '../../../src/findings/timestamp.ts';

const anyDate = fc.date({ min: new Date(0), max: new Date('9999-12-30'), noInvalidDate: true });

describe('a finding id', () => {
  it('follows from the job id alone, is a legal id, and differs between jobs', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const id = toFindingId(one);
        expect(id).toMatch(/^finding_[0-9a-f]{12,}$/);
        expect(toFindingId(one)).toBe(id);
        expect(idSchema.safeParse(id).success).toBe(true);
        expect(toFindingId(other) === id).toBe(one === other);
      }),
    );
  });

  it('is the one the caller wants, and stays what it was', () => {
    expect(toFindingId('nightly-1', 'mine')).toBe('mine');
    expect(toFindingId('nightly-1')).toBe('finding_e9673773e793a22d'); // stored findings have ids of this form: it must never change
  });
});

describe('a timestamp', () => {
  it('is local time without zone, which readers parse back to the same millisecond', () => {
    fc.assert(
      fc.property(anyDate, (date) => {
        const text = toLocalTimestamp(date);
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}000$/);
        const back = new Date(text);
        // The hour that a zone repeats in autumn has two instants for one local time.
        expect(toLocalTimestamp(back)).toBe(text);
        expect(text.startsWith(toLocalDay(date))).toBe(true);
        expect(date.toISOString().startsWith(toUtcDay(date))).toBe(true);
      }),
    );
  });
});

describe('a stored finding', () => {
  it('is read from any JSON object, its id being the key suffix, and from nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const finding = parseFinding('finding_1', text);
        if (finding === null) return;
        expect(finding.finding_id).toBe('finding_1');
        expect(new Date(finding.at).getTime()).not.toBeNaN();
        for (const list of [finding.citations, finding.files_changed, finding.topics])
          expect(list).toBeInstanceOf(Array);
      }),
    );
  });

  it.each([
    ['no time', {}, '1970-01-01T00:00:00.000Z'],
    ['a time that is none', { timestamp: 'yesterday' }, '1970-01-01T00:00:00.000Z'],
    ['local time', { timestamp: '2025-11-21T10:15:00.123456' }, new Date(2025, 10, 21, 10, 15, 0, 123).toISOString()],
    ['an instant', { at: '2025-11-21T09:15:00.123Z', timestamp: 'x' }, '2025-11-21T09:15:00.123Z'],
    ['an instant that is none', { at: 'soon' }, '1970-01-01T00:00:00.000Z'],
  ])('with %s has the instant it sorts by', (_, stored, storedAt) => {
    expect(parseFinding('finding_1', JSON.stringify(stored))?.at).toBe(storedAt);
  });

  it('keeps exact numbers of its result, and calculates with those of other fields', () => {
    const text = '{"cost":0.00110000000000000000001,"tokens_used":1e1,"result":{"id":9007199254740993}}';
    const finding = parseFinding('finding_1', text);
    expect(finding).toMatchObject({ cost: 0.0011, tokens_used: 10 });
    expect(stringifyExact(finding?.result)).toBe('{"id":9007199254740993}');
  });

  it('counts a field of the wrong type as missing', () => {
    const wrong = {
      worker_id: 1,
      task: {},
      summary: ['x'],
      session: null,
      cost: '0.1',
      batch: 7,
      usage: 'x',
      changes: {},
    };
    expect(parseFinding('finding_1', JSON.stringify({ ...wrong, kind: 'docs', mission_id: null, extra: 1 }))).toEqual({
      finding_id: 'finding_1',
      at: '1970-01-01T00:00:00.000Z',
      kind: 'docs',
      mission_id: null,
      extra: 1,
      citations: [],
      files_changed: [],
      topics: [],
    });
  });

  it('has a summary of at most 200 characters on one line', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (result) => {
        expect(summarise(result)).toMatch(/^[^\n\r\t]{0,200}$/);
      }),
    );
    expect(summarise({ summary: 'tea', other: 1 })).toBe('tea');
    expect(summarise(undefined)).toBe('');
    expect(summarise('a\u001b]0;title\u0007 b')).toBe('a ]0;title b'); // a terminal must not act on it
  });
});

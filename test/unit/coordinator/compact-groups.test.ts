import { array, assert, constantFrom, integer, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupFindings, MOST_BYTES, MOST_FINDINGS, type Candidate } from '../../../src/coordinator/compact/groups.ts';

const of = (session: string, count: number, from = 0, bytes = 100): Candidate[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `${session}${from + i}`,
    foundAt: from + i,
    session,
    shard: '',
    bytes,
  }));
const ids = (groups: Candidate[][]) => groups.map((group) => group.map(({ id }) => id).join(' '));

describe('the groups of a compaction', () => {
  it('are of one session each, by age, as many findings as one call may have', () => {
    const groups = groupFindings([...of('a', 60), ...of('b', 10, 60)], 1_000);
    expect(groups.map((group) => [group[0]?.id, group.length])).toEqual([
      ['a0', MOST_FINDINGS],
      ['a50', 10],
      ['b60', 10],
    ]);
  });

  it('hold no more than one call may show, and a giant by itself is passed over', () => {
    const groups = groupFindings([...of('a', 4, 0, MOST_BYTES / 2), ...of('b', 1, 9, 2 * MOST_BYTES)], 1_000);
    expect(ids(groups)).toEqual(['a0 a1', 'a2 a3']);
  });

  it('join what is left of small sessions', () => {
    expect(ids(groupFindings([...of('a', 2), ...of('b', 3, 2), ...of('c', 6, 5)], 1_000))).toEqual([
      'a0 a1 b2 b3 b4',
      'c5 c6 c7 c8 c9 c10',
    ]);
  });

  it('are no more than are needed, the oldest', () => {
    expect(groupFindings(of('a', 200), 60).flat()).toHaveLength(100);
  });

  it('never hold a finding twice, one finding alone, or too much', () => {
    const candidates = array(
      record({
        session: constantFrom('', 'a', 'b', 'c'),
        shard: constantFrom('', 'north', 'south'),
        foundAt: nat(1_000),
        bytes: integer({ min: 50, max: 30_000 }),
      }),
      { maxLength: 300 },
    );
    assert(
      property(candidates, nat(300), (given, reduceBy) => {
        const sorted = given.map((one, i) => ({ ...one, id: `f${i}` })).sort((a, b) => a.foundAt - b.foundAt);
        const groups = groupFindings(sorted, reduceBy);
        const chosen = groups.flat().map(({ id }) => id);
        expect(new Set(chosen).size).toBe(chosen.length);
        for (const group of groups) {
          expect(new Set(group.map(({ shard }) => shard)).size).toBe(1);
          expect(group.length).toBeGreaterThanOrEqual(2);
          expect(group.length).toBeLessThanOrEqual(MOST_FINDINGS);
          expect(group.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(MOST_BYTES);
          expect(group.map(({ foundAt }) => foundAt)).toEqual(
            group.map(({ foundAt }) => foundAt).sort((a, b) => a - b),
          );
        }
      }),
    );
  });
});

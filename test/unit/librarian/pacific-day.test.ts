import { assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pacificDay } from '../../../src/librarian/gate/pacific-day.ts';
import { toProjects } from '../../../src/librarian/gate/shard-project.ts';

const HOUR_MS = 3_600_000;
const utc = (text: string): number => Date.parse(text);
const iso = (ms: number): string => new Date(ms).toISOString();

/** Of the year's clock changes in the United States: the second Sunday of March, the first of November. */
function changes(year: number): { spring: string; autumn: string } {
  const sunday = (month: number, count: number): string => {
    const first = new Date(Date.UTC(year, month, 1)).getUTCDay();
    return new Date(Date.UTC(year, month, 1 + ((7 - first) % 7) + 7 * (count - 1))).toISOString().slice(0, 10);
  };
  return { spring: sunday(2, 2), autumn: sunday(10, 1) };
}

describe('pacificDay', () => {
  it.each([
    ['2026-01-15T07:59:59.999Z', '2026-01-14', '2026-01-14T08:00:00.000Z', '2026-01-15T08:00:00.000Z'],
    ['2026-01-15T08:00:00.000Z', '2026-01-15', '2026-01-15T08:00:00.000Z', '2026-01-16T08:00:00.000Z'],
    ['2026-07-01T06:59:59.999Z', '2026-06-30', '2026-06-30T07:00:00.000Z', '2026-07-01T07:00:00.000Z'],
    ['2026-03-08T20:00:00.000Z', '2026-03-08', '2026-03-08T08:00:00.000Z', '2026-03-09T07:00:00.000Z'],
    ['2026-11-01T08:30:00.000Z', '2026-11-01', '2026-11-01T07:00:00.000Z', '2026-11-02T08:00:00.000Z'],
    ['2026-12-31T23:00:00.000Z', '2026-12-31', '2026-12-31T08:00:00.000Z', '2027-01-01T08:00:00.000Z'],
  ])('puts %s into %s', (instant, name, starts, ends) => {
    const day = pacificDay(utc(instant));
    expect([day.name, iso(day.startsAtMs), iso(day.endsAtMs)]).toEqual([name, starts, ends]);
  });

  it('has 23 hours in spring and 25 in autumn, the whole day through, for many years', () => {
    for (let year = 2007; year <= 2040; year += 1) {
      const { spring, autumn } = changes(year);
      for (const [name, hours, begins] of [
        [spring, 23, 'T08:00:00Z'],
        [autumn, 25, 'T07:00:00Z'],
      ] as const) {
        const startsAtMs = utc(`${name}${begins}`);
        const endsAtMs = startsAtMs + hours * HOUR_MS;
        for (let atMs = startsAtMs; atMs < endsAtMs; atMs += 41 * 60_000) {
          expect(pacificDay(atMs)).toEqual({ name, startsAtMs, endsAtMs });
        }
        expect(pacificDay(endsAtMs).startsAtMs).toBe(endsAtMs);
      }
    }
  });

  it('covers all time: each instant lies in its day, and the next day begins where it ends', () => {
    const span = { min: utc('2000-01-01T00:00:00Z'), max: utc('2040-12-31T23:59:59Z') };
    assert(
      property(integer(span), (atMs) => {
        const day = pacificDay(atMs);
        expect(day.startsAtMs <= atMs && atMs < day.endsAtMs).toBe(true);
        expect([23, 24, 25]).toContain((day.endsAtMs - day.startsAtMs) / HOUR_MS);
        expect(pacificDay(day.startsAtMs)).toEqual(day);
        expect(pacificDay(day.endsAtMs - 1)).toEqual(day);
        expect(pacificDay(day.endsAtMs).startsAtMs).toBe(day.endsAtMs);
        expect(pacificDay(day.startsAtMs - 1).endsAtMs).toBe(day.startsAtMs);
      }),
      { numRuns: 500 },
    );
  });
});

describe('toProjects', () => {
  const shard = { number: 1, project: null, rpm: 15, rpd: 1_500, tpm: 250_000, windowMs: 60_000 };

  it('makes one project of the shards that name the same, with the strictest of their limits', () => {
    const projects = toProjects([
      { ...shard, project: 'a:b c', rpm: 10 },
      { ...shard, number: 2 },
      { ...shard, number: 3, project: 'a:b c', rpd: 20, tpm: 1 },
    ]);
    expect(projects.map(({ id, shards }) => [id, shards.map(({ number }) => number)])).toEqual([
      ['project-a%3Ab%20c', [1, 3]],
      ['shard2', [2]],
    ]);
    expect(projects[0]).toMatchObject({ rpm: 10, rpd: 20, tpm: 1 });
  });

  it('holds a place for the window and a 60th', () => {
    expect(toProjects([shard])[0]?.heldMs).toBe(61_000);
  });
});

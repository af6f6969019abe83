import { describe, expect, it } from 'vitest';
import { showsGuilt, toDeathRate } from '../../../src/jobs/worker/blame.ts';
import type { Deaths } from '../../../src/jobs/worker/process-watch.ts';
import { createRandom, takeSeed } from '../../support/random.ts';

function deathsAt(agesMs: number[], among: number): Deaths {
  return { seen: agesMs.map((ageMs) => ({ ageMs, among })), alive: among };
}

const none = deathsAt([], 4);
const everySecond = deathsAt(
  Array.from({ length: 120 }, (_, i) => i * 1_000),
  4,
);

/** The fewest deaths, each within this time, that show guilt; null: not even forty. */
function needed(withinMs: number, deaths: Deaths): number | null {
  const counts = Array.from({ length: 40 }, (_, i) => i + 1);
  return counts.find((count) => showsGuilt(Array<number>(count).fill(withinMs), toDeathRate(deaths, 0))) ?? null;
}

describe('how many deaths show that a job kills its workers', () => {
  it.each([
    ['three where no other process dies', 500, none, 3],
    ['more where one dies a second', 500, everySecond, 9],
    ['fewer where it dies at once', 125, everySecond, 7],
    ['more after a long time at the place', 64_000, deathsAt([], 1), 7],
    ['no number where chance alone kills at that place', 8_000, everySecond, null],
  ])('is %s', (_, withinMs, deaths, count) => {
    expect(needed(withinMs, deaths)).toBe(count);
  });

  it('does not grow with one late death among early ones', () => {
    const rate = toDeathRate(everySecond, 0);
    const early = (count: number): number[] => Array<number>(count).fill(125);
    expect(showsGuilt([4_000, ...early(8)], rate)).toBe(true);
    expect(showsGuilt([4_000, 4_000, ...early(6)], rate)).toBe(false);
  });

  it('counts one of the deaths at the place of the job itself', () => {
    const own = deathsAt([3_000, 8_000, 12_000, 17_000], 2);
    expect(toDeathRate(own, 4)).toBeCloseTo(toDeathRate(own, 0) / 4, 6);
    expect(toDeathRate(own, 4)).toBe(toDeathRate(own, 3));
    expect(toDeathRate(own, 4)).toBeGreaterThan(toDeathRate(deathsAt([], 2), 0));
  });

  it.each([
    ['one process', 1, 7],
    ['two', 2, 6],
    ['four', 4, 5],
  ])('is more than three where kills begin with the workers of one job, among %s', (_, among, count) => {
    const counts = Array.from({ length: 40 }, (__, i) => i + 2);
    const guilty = counts.find((deaths) => {
      const seen = deathsAt(
        Array.from({ length: deaths }, (__, i) => i * 1_500),
        among,
      );
      return showsGuilt(Array<number>(deaths - 1).fill(500), toDeathRate(seen, deaths));
    });
    expect(guilty).toBe(count);
  });

  it('goes by how many processes lived at each death, not by those that live after it', () => {
    expect(toDeathRate({ ...everySecond, alive: 1 }, 0)).toBe(toDeathRate(everySecond, 0));
  });

  it('blames no innocent job, however long it is at a place when chance kills its worker', () => {
    const random = createRandom(takeSeed('innocent jobs'));
    const perMs = toDeathRate(everySecond, 0);
    let blamed = 0;
    for (let job = 0; job < 20_000; job += 1) {
      const placeMs = random(50, 3_500);
      const withinMs: number[] = [];
      for (;;) {
        const diesAtMs = -Math.log(random(1, 1_000_000) / 1_000_000) / perMs;
        if (diesAtMs > placeMs) break; // it comes further: the count begins again
        withinMs.push(Math.max(0, diesAtMs - random(0, 300))); // noted late
        if (showsGuilt(withinMs, perMs)) {
          blamed += 1;
          break;
        }
      }
    }
    expect(blamed).toBe(0);
  });
});

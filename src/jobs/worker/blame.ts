import type { Deaths } from './process-watch.ts';

/** A job is blamed only if chance explains the deaths of its workers in fewer than one of so many cases. */
const CASES = 1_000_000;
/** A job is blamed after no fewer deaths at one place. */
const FEWEST = 3;
const MINUTE_MS = 60_000;
const TEN_MINUTES_MS = 600_000;
/** Over a shorter time a rate is a guess. */
const SHORTEST_SPAN_MS = 10_000;
/** A busy process, or one whose Redis is slow, notes so much later how long its run is at a place. */
const NOTED_LATE_MS = 300;

/**
 * Whether the deaths at one place, without progress between them, show that a job kills its workers. Where processes die often by
 * other causes, or a job was long at the place, chance explains more of them. One late death hides no number of early ones.
 * @param withinMs for each of these deaths: so long the job was at the place, at most
 * @param perMs how often one process dies by other causes, see `toDeathRate`
 */
export function showsGuilt(withinMs: readonly number[], perMs: number): boolean {
  const deaths = withinMs.length;
  return withinMs
    .toSorted((a, b) => a - b)
    .some((longest, i) => {
      const early = i + 1; // deaths within `longest`, of which each has this chance
      const chance = (longest + NOTED_LATE_MS) * perMs;
      return (
        early >= FEWEST && chance < 1 && logOfChoices(deaths, early) + early * Math.log(chance) <= -Math.log(CASES)
      );
    });
}

/**
 * How often one process dies by other causes than this job, a ms: as in the last minute, or as in the last ten, whichever is more.
 * @param own how many of the deaths were at this job's place. They are left out, but for one: what kills a process every second may
 * begin with the workers of one job
 */
export function toDeathRate({ seen, alive }: Deaths, own: number): number {
  const recent = seen.filter(({ ageMs }) => ageMs <= MINUTE_MS);
  const span = Math.max(SHORTEST_SPAN_MS, ...recent.map(({ ageMs }) => ageMs));
  const inMinute = toHazard(recent, Math.min(recent.length, Math.max(1, recent.length - own))) / span;
  const unseen = { ageMs: 0, among: alive }; // a death that was not seen yet
  const inTenMinutes = toHazard([...seen, unseen], Math.max(0, seen.length - own) + 1) / TEN_MINUTES_MS;
  return Math.max(inMinute, inTenMinutes);
}

/** How often one process would have died, if `count` of the deaths are by chance: each death hit one of those that lived then. */
function toHazard(deaths: Deaths['seen'], count: number): number {
  if (count === 0) return 0;
  const shares = deaths.reduce((sum, { among }) => sum + 1 / among, 0);
  return (count * shares) / deaths.length;
}

/** The logarithm of the number of ways to choose `some` of `all`. */
function logOfChoices(all: number, some: number): number {
  let sum = 0;
  for (let i = 1; i <= some; i += 1) sum += Math.log((all - some + i) / i);
  return sum;
}

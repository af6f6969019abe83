/** Upper bounds of the buckets, ms: those of `lib/tally.lua`. */
export const BOUNDS_MS = [
  100, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000,
] as const;

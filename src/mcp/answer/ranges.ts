/** Whole numbers in ascending order as ranges: `1-40,42`. Empty for none. */
export function toRanges(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && number === last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}

/** The first ranges of a list, and a note of the others: 200 tasks that ended by turns are 100 ranges. */
export function toShortRanges(numbers: readonly number[], most = 12): string {
  const ranges = toRanges(numbers).split(',');
  if (ranges.length <= most) return ranges.join(',');
  return `${ranges.slice(0, most).join(',')},… (${numbers.length} in all)`;
}

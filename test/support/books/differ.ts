/** A line for the report if the two differ. */
export function differ(what: string, [left, a]: [string, unknown], [right, b]: [string, unknown]): string[] {
  return a === b ? [] : [`${what}: ${left} ${String(a)}, ${right} ${String(b)}`];
}

export function sumOf(amounts: Iterable<number>): number {
  let sum = 0;
  for (const amount of amounts) sum += amount;
  return sum;
}

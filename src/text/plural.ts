/** `1 task`, `2 tasks`, `1,000 tasks`. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/**
 * `1,000`. Whole numbers do without `toLocaleString`: its first call loads the locale data of Node, 8 MB of memory for each process
 * that counts something.
 */
export function formatCount(count: number): string {
  if (!Number.isSafeInteger(count)) return count.toLocaleString('en-US');
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

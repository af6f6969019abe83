/**
 * Most levels of lists and objects in JSON that the fleet stores: results, tasks, answers. Redis' scripts read 1,000, and
 * JavaScript calls itself once a level.
 */
export const DEEPEST_JSON = 256;

/** How many levels of lists and objects a JSON text has: 0 for a number or a text, 1 for `[]`. Without recursion. */
export function toJsonDepth(json: string): number {
  let depth = 0;
  let deepest = 0;
  // A text is skipped whole, so that its brackets do not count.
  for (const [token] of json.matchAll(/"[^"\\]*(?:\\[^][^"\\]*)*"|[[\]{}]/g)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, (depth += 1));
    else if (token === ']' || token === '}') depth -= 1;
  }
  return deepest;
}

/**
 * Markers are what a test writes into a task, question or goal to steer the simulated model: `[[name]]` or
 * `[[name:number]]`.
 */
export function hasMarker(text: string, name: string): boolean {
  return text.includes(`[[${name}]]`);
}

/** The number of `[[name:number]]`, or null. */
export function findMarkerNumber(text: string, name: string): number | null {
  const found = new RegExp(`\\[\\[${name}:(\\d{1,7})\\]\\]`).exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

/** The text without its markers. */
export function stripMarkers(text: string): string {
  return text.replaceAll(/\s*\[\[[a-z-]+(?::\d+)?\]\]/g, '').trim();
}

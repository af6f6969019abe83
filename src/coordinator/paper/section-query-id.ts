/** Name of a section's question; a step that a person has tried again is another one. @param at from 0 */
export function toSectionQueryId(missionId: string, at: number, tries: number): string {
  return `${missionId}-s${at + 1}${tries === 0 ? '' : `-${tries + 1}`}`;
}

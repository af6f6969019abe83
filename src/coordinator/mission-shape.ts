/** Where a mission stands. `asks`: a person must decide; `parked`: a person set it aside. */
export const MISSION_STEPS = ['recall', 'survey', 'plan', 'delegate', 'wait', 'synthesise', 'store'] as const;
export type MissionStep = (typeof MISSION_STEPS)[number];
export type MissionState = 'running' | 'asks' | 'parked' | 'done' | 'failed';

/** How the tasks of a mission stand. `skipped`: a task it depends on failed. */
export interface ChildCounts {
  total: number;
  added: number;
  done: number;
  failed: number;
  skipped: number;
}

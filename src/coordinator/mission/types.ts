import type { Plan, PlanNode } from '../plan/plan.ts';

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

/** What the archive said about the goal; or why it was not asked, or could not answer. */
export type Recall =
  | { findingId: string; answer: string; citations: string[] }
  | { skipped: string }
  | { failed: string };

/** The workspace's files, as a Haiku task listed them, `total` with those it left out; or why there is no list. */
export type Survey =
  | { findingId: string; files: { path: string; bytes: number }[]; total: number }
  | { skipped: string }
  | { failed: string };

/** Where one mission stands: `keys.mission(id)`, every step's result before the next begins. */
export interface MissionRecord {
  goal: string;
  session: string;
  workspace: string | null;
  state: MissionState;
  step: MissionStep;
  /** Times the mission came back from waiting. */
  round: number;
  plan: Plan | null;
  nodes: PlanNode[];
  recall: Recall | null;
  survey: Survey | null;
  /** Tasks put into the queue. */
  added: number;
  counts: ChildCounts;
  /** What stands in its way; empty: nothing. */
  problem: string;
  /** Instants, ISO 8601; null: not yet. */
  createdAt: string | null;
  updatedAt: string | null;
  endedAt: string | null;
  /** Id of its finding, once it is recorded. */
  finding: string | null;
  /** Times a person let it go on after it asked. */
  releases: number;
}

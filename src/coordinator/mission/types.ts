import type { Answer } from '../calls/types.ts';
import type { Plan, PlanNode } from '../plan/plan.ts';

/** The steps of a mission, in their order. A paper uses the same names. */
export const MISSION_STEPS = ['recall', 'survey', 'plan', 'delegate', 'wait', 'synthesise', 'store'] as const;
export type MissionStep = (typeof MISSION_STEPS)[number];
/** `planned`: waits until a person runs its plan. `asks`: waits for a person's choice. `parked`: a person set it aside. */
export type MissionState = 'running' | 'planned' | 'asks' | 'parked' | 'done' | 'failed';

/** Number of a mission's tasks by state. `skipped`: a task that it depends on failed or was cancelled. */
export interface ChildCounts {
  total: number;
  added: number;
  done: number;
  failed: number;
  /** By a person; none of the failed. */
  cancelled: number;
  skipped: number;
}

/** The counts, with what is not right about the tasks that are done. A finding is counted when it is stored. */
export interface MarkedCounts extends ChildCounts {
  /** Of the done ones: those whose worker ran out of turns. */
  partial: number;
  /** Of the done ones: those in which a tool call failed. */
  toolErrors: number;
}

/** What the archive answered about the goal; or why it was not asked or could not answer. */
export type Recall =
  | { findingId: string; answer: string; citations: string[] }
  | { skipped: string }
  | { failed: string };

/** The workspace's files as a worker listed them; `total` counts the unlisted ones too. Or why there is no list. */
export type Survey =
  | { findingId: string; files: { path: string; bytes: number }[]; total: number }
  | { skipped: string }
  | { failed: string };

/** A person's word that the plan runs. */
export interface Approval {
  /** Instant, ISO 8601. */
  at: string;
  by: string;
  /** Numbers of the tasks that were left out. */
  dropped: number[];
  /** The person's own plan took the place of the coordinator's. */
  edited: boolean;
  /** Names the one call that approved it: another of the same instant did not. */
  call?: string;
}

/** The stored record of one mission. Each step stores its result here before the next step begins. */
export interface MissionRecord {
  goal: string;
  session: string;
  workspace: string | null;
  state: MissionState;
  step: MissionStep;
  /** How often the mission waited for its tasks. */
  round: number;
  plan: Plan | null;
  /** Why the plan does not run without a person's word: more of it would go to Sonnet than one task in ten. Empty: it does. */
  excess: string;
  nodes: PlanNode[];
  recall: Recall | null;
  survey: Survey | null;
  /** Number of tasks added to the queue. */
  added: number;
  counts: MarkedCounts;
  /** Why the mission cannot continue or has failed; empty: there is no problem. */
  problem: string;
  /** Instants, ISO 8601; null: not yet. */
  createdAt: string | null;
  updatedAt: string | null;
  endedAt: string | null;
  /** Id of the mission's finding; null until it is stored. */
  finding: string | null;
  /** How often a person released the mission after it asked. */
  releases: number;
  /** Instant at which the plan was stored, ISO 8601. Null: there is none, or a version before stored it. */
  plannedAt: string | null;
  /** Null: nobody was asked, or nobody has answered yet. */
  approval: Approval | null;
  answers: Answer[];
}

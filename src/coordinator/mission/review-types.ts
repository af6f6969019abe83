import type { MissionState, Approval } from './types.ts';
import type { Plan, PlanNode } from '../plan/plan.ts';
import type { MissionForecast } from '../plan/types.ts';

/** One task of a plan as a person reviews it. */
export interface ReviewedTask extends PlanNode {
  /** A person left it out. */
  dropped: boolean;
}

/** The plan of a mission, for a person's review. */
export interface ReviewedPlan {
  missionId: string;
  goal: string;
  workspace: string | null;
  state: MissionState;
  /** Names this plan: another plan has another one. */
  version: string;
  /** One paragraph for people. */
  approach: string;
  /** Numbered as the jobs will be: `<mission>-<n>`. */
  tasks: ReviewedTask[];
  /** The plan as a person may edit it, for `run`. */
  plan: Plan;
  /** Of the tasks that are not dropped. */
  forecast: MissionForecast;
  /** What the mission has cost so far: the plan's calls, as long as it has not run. */
  costUsd: string;
  costNanoUsd: number;
  /** Count of its calls of free local models. Absent: none. */
  freeLocal?: number;
  /** Whether it can be run now. */
  canRun: boolean;
  /** Why it cannot be run; null: it can. */
  obstacle: string | null;
  /** What has changed since a plan was made that can be run, one sentence each. */
  notes: string[];
  /** Instant, ISO 8601; null: unknown. */
  plannedAt: string | null;
  /** Null: no person has run it. */
  approval: Approval | null;
}

export interface RunPlanOptions {
  /** Numbers of tasks to leave out, as `ReviewedPlan.tasks` has them. A task that depends on one must be named, too. */
  drop?: number[];
  /** A plan in place of the coordinator's: `ReviewedPlan.plan`, edited. It may not be given with `drop`. */
  edit?: unknown;
  /** `ReviewedPlan.version` of the plan that was looked at: another one is not run. Default: whatever plan there is. */
  version?: string;
  /** True: everything is checked and forecast, and nothing changes. Default false. */
  dryRun?: boolean;
}

/** The plan that runs. */
export interface RunPlan {
  missionId: string;
  /** It runs already as was asked here; nothing was changed. */
  again: boolean;
  /** The tasks that run. */
  tasks: PlanNode[];
  /** Numbers of those that were left out. */
  dropped: number[];
  edited: boolean;
  forecast: MissionForecast;
  /** What has changed since the plan was made, one sentence each. */
  notes: string[];
}

/** A mission that goes on with a person's answer. */
export interface AnsweredMission {
  missionId: string;
  /** The answer's number: the mission's text cites it as `[person-1]`. */
  n: number;
  /** The same answer was there already. This call did what a crash had left undone. */
  again: boolean;
  /** Ids of tasks that had handed themselves back and run again with the answer. */
  retried: string[];
  /** The mission goes on with fewer done tasks than its quorum. */
  waivesQuorum: boolean;
  /** Number of jobs that wait for a worker again. */
  released: number;
  /** This mission had caused a halt, and this call lifted it. */
  liftedHalt: boolean;
}

/** A mission that a person set aside. */
export interface ParkedMission {
  /** It was parked before. This call did what a crash had left undone. */
  again: boolean;
  /** Text for the person: what becomes of a paper's drafts; null: the mission writes no paper. */
  said: string | null;
  /** This mission had caused a halt, and this call lifted it. */
  liftedHalt: boolean;
}

/** What a person decides about a mission that asks; the last two are for papers only. */
export type MissionDecision = 'retry' | 'skip-gemini' | 'accept-shards';

export interface ResumedMission {
  /** Text for the person: what a paper does now; null: the mission writes no paper. */
  said: string | null;
  /** Number of parked jobs that wait for a worker again, the mission's own included. */
  released: number;
  liftedHalt: boolean;
}

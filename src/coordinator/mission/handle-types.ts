import type { MissionInput } from '../../../queues/missions.ts';
import type { TaskHandle } from '../../tasks/types.ts';
import type { BudgetState } from '../../ledger/budget-types.ts';
import type {
  AnsweredMission,
  MissionDecision,
  ParkedMission,
  ResumedMission,
  ReviewedPlan,
  RunPlan,
  RunPlanOptions,
} from './review-types.ts';
import type { ShownState } from './shown-state.ts';
import type { MissionRecord } from './types.ts';

/** The state of a mission, for people and scripts. */
export interface MissionStatus extends Omit<MissionRecord, 'nodes' | 'releases' | 'round' | 'state' | 'survey'> {
  id: string;
  state: ShownState;
  /** Limit and cost of the mission with all its tasks and queries, nano-dollars. */
  budget: BudgetState;
}

export interface AddMissionOptions {
  /** The mission's id. An existing mission of this id is reported, never added twice. Default: a random id. */
  missionId?: string;
  /** The session that the mission's cost is booked to; default: the current session. */
  session?: string;
}

/**
 * One mission, as the script that added it sees it. `finding()` returns the stored synthesis, `result()` its result:
 * `{answer, plan, counts, delegation, cost, saving}`, or the text of a paper.
 */
export interface MissionHandle extends TaskHandle {
  /** The mission's record with its budget; null: the record was deleted. */
  status(): Promise<MissionStatus | null>;
}

/** Adds missions and reads them. While the fleet is halted, missions can be added and wait in the queue. */
export interface FleetMissions {
  /** @throws UsageError for a mission that breaks a rule, RedisUnusableError within a second when Redis is away or full */
  add(mission: MissionInput, options?: AddMissionOptions): Promise<MissionHandle>;
  /** A mission that this script or another one added earlier; null: there is no mission of this id. */
  get(id: string): Promise<MissionHandle | null>;
  /** The plan of a mission for review, with a forecast. @throws UsageError for a mission that has none */
  plan(id: string): Promise<ReviewedPlan>;
  /**
   * Runs the plan of a dry run, or one that waits for approval: nothing is planned or paid again. A second call changes nothing.
   * @throws UsageError for a plan that cannot run and for a change that breaks a rule; nothing was changed
   */
  run(id: string, options?: RunPlanOptions): Promise<RunPlan>;
  /** Runs the plan as it was shown: `run` without a change. */
  approve(id: string): Promise<RunPlan>;
  /** Lets a mission that asks or has failed go on with an answer in words, at most 4,000 characters. */
  answer(id: string, text: string): Promise<AnsweredMission>;
  /** Sets a mission aside; `resume` releases it. */
  park(id: string): Promise<ParkedMission>;
  /** Releases a mission that asks or is parked. @param decision `skip-gemini` and `accept-shards` are for papers only */
  resume(id: string, decision?: MissionDecision): Promise<ResumedMission>;
  /** The newest missions, newest first. @param options.limit default 20 @param options.session only those of this session */
  list(options?: { limit?: number; session?: string }): Promise<MissionStatus[]>;
}

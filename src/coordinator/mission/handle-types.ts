import type { MissionInput } from '../../../queues/missions.ts';
import type { TaskHandle } from '../../tasks/types.ts';
import type { BudgetState } from '../../ledger/budget.ts';
import type { MissionRecord } from './types.ts';

/** Where a mission stands, for people and scripts. */
export interface MissionStatus extends Omit<MissionRecord, 'nodes' | 'releases' | 'round' | 'survey'> {
  id: string;
  /** What its whole tree may cost and has cost, nano-dollars. */
  budget: BudgetState;
}

export interface AddMissionOptions {
  /** The mission's id; one of this id that exists is reported, never added twice. Default: a fresh random one. */
  missionId?: string;
  /** What it is booked to; default the session in force. */
  session?: string;
}

/**
 * One mission, from the side of who asked for it. `finding()` is the synthesis as it is stored, `result()` its result:
 * `{answer, plan, counts, delegation, cost, saving}`, or the text of a paper.
 */
export interface MissionHandle extends TaskHandle {
  /** Where it stands; null: its record is gone. */
  status(): Promise<MissionStatus | null>;
}

/** Goals for the coordinator, and waiting for what becomes of them. While the fleet is halted missions are taken and wait. */
export interface FleetMissions {
  /** @throws UsageError for a mission that breaks a rule, RedisUnusableError within a second when Redis is away or full */
  add(mission: MissionInput, options?: AddMissionOptions): Promise<MissionHandle>;
  /** A mission that was added earlier, by this script or another; null where there is none of this id. */
  get(id: string): Promise<MissionHandle | null>;
  /** The newest missions, newest first. @param options.limit default 20 @param options.session only those of this session */
  list(options?: { limit?: number; session?: string }): Promise<MissionStatus[]>;
}

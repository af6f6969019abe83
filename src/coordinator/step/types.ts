import type { MissionData } from '../../../queues/missions.ts';
import type { StoredFinding } from '../../findings/types.ts';

/** The mission that a run works on. */
export interface Mission {
  /** Of the mission and of its job. */
  id: string;
  data: MissionData;
  /** The session that it is booked to. */
  session: string;
  /** Vendors that may see what is in its workspace. Null: all. */
  vendors: readonly string[] | null;
}

/** How a child of a mission ended. */
export type ChildEnd = { state: 'completed'; finding: StoredFinding } | { state: 'failed'; reason: string };

/** What a mission found. The finding that stores it adds session, cost, ids and times. */
export interface MissionOutcome {
  /** Any JSON: what was found. */
  result: unknown;
  /** The sources: ids of findings. */
  citations: string[];
  /** Default: the beginning of the result. */
  summary?: string;
  kind: 'mission' | 'paper';
  promptVersion: string;
  /** Model of the calls that made it. */
  model: string;
}

/** What the job of an ended mission returns. */
export interface MissionEnd {
  findingId: string;
  /** Cost of the coordinator's own calls, nano-dollars. */
  costNanoUsd: number;
}

import type { TurnLedger } from '../../ledger/types.ts';
import type { Logger } from '../../process/logger.ts';
import type { Model } from '../../models/model.ts';
import type { Db } from '../../redis/db.ts';

/** More live findings than this stop new missions until old ones are condensed. Source: SPEC, "Rules that stop the fleet". */
export const LIVE_LIMIT = 5_000;

/** What a compaction works with. */
export interface CompactParts {
  db: Db;
  /** Of the coordinator's process; books to the missions queue. */
  ledger: TurnLedger;
  model: Model;
  /** Catalog id of the model that sums up: `FLEET_HAIKU_MODEL`. */
  modelId: string;
  currentSession: () => Promise<string>;
  workerId: string;
  log: Logger;
  now(): Date;
  /** Fires when the run must end at once; its reason is the error to end with. */
  signal: AbortSignal;
  /** True once the process goes away: no summary is begun. */
  isDraining(): boolean;
  /** Leaves a line where a person looks: the log of the mission that waits. */
  note?: (line: string) => Promise<unknown>;
  /** Live findings from which on old ones are condensed; default `LIVE_LIMIT`. */
  limit?: number;
}

/**
 * `not-needed`: no more live findings than the limit. `done`: at most the limit are left. `nothing-to-condense`: more are
 * left, of the current session or such that no summary could be made of; missions go on. `busy`: another process does it.
 */
export type CompactOutcome = 'not-needed' | 'done' | 'nothing-to-condense' | 'busy';

import type { TurnLedger } from '../../ledger/types.ts';
import type { Logger } from '../../process/logger.ts';
import type { Model } from '../../models/model.ts';
import type { Db } from '../../redis/db.ts';
import type { Catalog } from '../../pricing/catalog.ts';

/** With more live findings than this no new mission starts until old ones are compacted. Source: SPEC, "Rules that stop the fleet". */
export const LIVE_LIMIT = 5_000;

export interface CompactParts {
  db: Db;
  /** The coordinator's ledger; it books to the missions queue. */
  ledger: TurnLedger;
  model: Model;
  catalog: Catalog;
  /** Catalog id of the model that writes the summaries: `FLEET_HAIKU_MODEL`. */
  modelId: string;
  currentSession: () => Promise<string>;
  workerId: string;
  log: Logger;
  now(): Date;
  /** Aborts when the run must end at once; its reason is the error to end with. */
  signal: AbortSignal;
  /** True once the process shuts down: no summary is begun. */
  isDraining(): boolean;
  /** Adds a line to the log of the mission that waits. */
  note?: (line: string) => Promise<unknown>;
  /** Most live findings that need no compaction; default `LIVE_LIMIT`. */
  limit?: number;
}

/**
 * `not-needed`: the archive is within the limit. `done`: it is within the limit now. `nothing-to-compact`: it is still
 * over the limit, but the rest belongs to the current session or no summary could be made of it; missions start anyway.
 * `busy`: another process compacts.
 */
export type CompactOutcome = 'not-needed' | 'done' | 'nothing-to-compact' | 'busy';

import { archiveQueue } from '../../queues/archive.ts';
import type { Config } from '../config/environment.ts';
import { openWorker, type OpenWorker, type WorkerRole } from '../jobs/worker/open-worker.ts';
import type { WorkerBase } from '../jobs/worker/worker-base.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import type { Logger } from '../process/logger.ts';
import type { ArchiveModel } from '../models/archive-model.ts';
import { findModel } from '../pricing/catalog.ts';
import type { ShardConfig } from '../config/shards.ts';
import { createArchiveContext, type ArchiveContext, type ContextStats } from './archive/context.ts';
import { createArchivePrompts } from './answer/archive-prompts.ts';
import type { AskableModel } from './answer/types.ts';
import { createQueryHandler, type QueryHandler } from './answer/handler.ts';
import { createRateGate } from './gate/rate-gate.ts';
import { pacificDay, type DayClock } from './gate/pacific-day.ts';
import type { RateGate } from './gate/types.ts';
import type { Db } from '../redis/db.ts';
import { sweepExternalQueries, watchExternalQueries, type ExternalQueriesParts } from './queries/external-queries.ts';
import { createTokenEstimate } from './archive/token-estimate.ts';

export interface RunningLibrarian extends OpenWorker {
  contextStats(): ContextStats;
}

interface LibrarianModels {
  forShard(shard: ShardConfig): ArchiveModel;
  /** Null: no key of another vendor is configured. */
  fallback: ArchiveModel | null;
}

/** Queries at once for each shard: enough for 15 calls a minute that take 15 s each. */
const SLOTS_PER_SHARD = 4;
const MAX_SLOTS = 24;
/** Share of the model's window that the shown findings may fill; the rest is for the question and its answer. Source: SPEC. */
const WINDOW_SHARE = 0.9;

interface LibrarianParts {
  config: Config;
  /** With their tiers known (`requireShards`). */
  shards: readonly ShardConfig[];
  models: LibrarianModels;
  log: Logger;
  /** The days of the quota. Default: Gemini's, which begin at midnight Pacific time. */
  dayAt?: DayClock;
  onStuck?: () => void;
}

/** Runs a librarian, which answers the archive's queries until it is closed. Tests run several in one process. */
export async function runLibrarian(parts: LibrarianParts): Promise<RunningLibrarian> {
  const { config, shards, log, onStuck } = parts;
  const { worker, role } = await openWorker({
    config,
    log,
    kind: 'librarian',
    queue: archiveQueue,
    slots: Math.min(MAX_SLOTS, SLOTS_PER_SHARD * shards.length),
    onStuck,
    createRole: (base) => createRole(parts, base),
  });
  return { ...worker, contextStats: role.contextStats };
}

type Role = WorkerRole<typeof archiveQueue.data, typeof archiveQueue.result> & Pick<RunningLibrarian, 'contextStats'>;

function createRole(parts: LibrarianParts, base: WorkerBase): Role {
  const { config, shards, log, dayAt = pacificDay } = parts;
  const { db, queues, notifier, subscriber, currentSession } = base;
  const context = createArchiveContext(db);
  const gate = createRateGate({ db, shards, log, notifier, dayAt, pacing: config.GEMINI_PACING === '1' });
  const external: ExternalQueriesParts = { db, queue: queues.archive, currentSession, log };
  return {
    handler: openQueryHandler(parts, { ...base, context, gate }),
    start: async () => [await watchExternalQueries(external, subscriber)],
    async getReady() {
      await Promise.all([context.refresh(), sweepExternalQueries(external)]);
      return { shards: shards.length, ...context.stats() };
    },
    endWaits: () => gate.close(), // queries that wait for room go back to waiting
    contextStats: context.stats,
  };
}

/** Puts together what answers one query: the archive's prompts, the way to a model, and the record. */
function openQueryHandler(
  { config, shards, models }: { config: Config; shards: readonly ShardConfig[]; models: LibrarianModels },
  parts: { db: Db; context: ArchiveContext; gate: RateGate; currentSession: () => Promise<string>; workerId: string },
): QueryHandler {
  const { db, context, gate, currentSession, workerId } = parts;
  const now = (): Date => new Date();
  const entry = findModel(config.FLEET_GEMINI_MODEL, now());
  const estimate = createTokenEstimate();
  const largestTpm = Math.max(...shards.map(({ tpm }) => tpm));
  return createQueryHandler({
    prompts: createArchivePrompts({ context, estimate }),
    routing: {
      gate,
      shards: new Map(
        shards.map((shard): [number, AskableModel] => {
          return [shard.number, { model: models.forShard(shard), payer: { entry, free: shard.tier === 'free' } }];
        }),
      ),
      fallback: toFallback(config, models.fallback),
      estimate,
      maxTokens: Math.floor(WINDOW_SHARE * Math.min(entry.contextTokens, largestTpm)),
    },
    recording: { db, ledger: createTurnLedger({ db, workerId, now, queue: 'archive' }), workerId, now },
    payer: { entry, free: true },
    currentSession,
  });
}

function toFallback(config: Config, model: ArchiveModel | null): AskableModel | null {
  if (model === null) return null;
  return { model, payer: { entry: findModel(config.FLEET_FALLBACK_MODEL, new Date()), free: false } };
}

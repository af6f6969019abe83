import { archiveQueue } from '../../queues/archive.ts';
import { readArchiveRoute } from '../config/model-rows/archive-route.ts';
import type { Config } from '../config/environment.ts';
import { openWorker, type OpenWorker, type WorkerRole } from '../jobs/worker/open-worker.ts';
import type { WorkerBase } from '../jobs/worker/worker-base.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import type { Logger } from '../process/logger.ts';
import type { ArchiveModel } from '../models/archive-model.ts';
import { createPacer } from '../pacing/pacer.ts';
import { pacedRowsOf } from '../pacing/paced-rows.ts';
import type { Pacer } from '../pacing/types.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { toArchiveChain, WINDOW_SHARE } from './archive-chain.ts';
import type { ShardConfig } from '../config/shards.ts';
import { openOtherSwarms } from '../other-swarms/open-other-swarms.ts';
import { createArchiveAcross } from './archive/across.ts';
import { createArchiveContext, type ArchiveContext, type ContextStats } from './archive/context.ts';
import { createArchivePrompts } from './answer/archive-prompts.ts';
import type { AskableModel } from './answer/types.ts';
import { openTranscripts } from '../run-record/transcripts/open-transcripts.ts';
import { createQueryHandler, type QueryHandler } from './answer/handler.ts';
import { keepShardKeys } from './opening/shard-keys.ts';
import { createRateGate } from './gate/rate-gate.ts';
import { createShardOpening } from './opening/shard-opening.ts';
import { pacificDay, type DayClock } from './gate/pacific-day.ts';
import { toKeyDigest } from './gate/shard-project.ts';
import type { RateGate } from './gate/types.ts';
import type { Db } from '../redis/db.ts';
import { sweepExternalQueries, watchExternalQueries, type ExternalQueriesParts } from './queries/external-queries.ts';
import { createTokenEstimate } from './archive/token-estimate.ts';

export interface RunningLibrarian extends OpenWorker {
  contextStats(): ContextStats;
}

interface LibrarianModels {
  forShard(shard: ShardConfig): ArchiveModel;
  /** The model of `FLEET_FALLBACK_MODEL`; null: no key of it is configured. */
  fallback: ArchiveModel | null;
  /** The model of a row besides the shards'; null: no key of it is configured. Absent: there is none. */
  find?: (id: string) => ArchiveModel | null;
  /** See `Model.limitKeyOf`. Absent: nothing limits the models besides the shards. */
  limitKeyOf?: (id: string) => string | undefined;
}

/** Queries at once for each shard: enough for 15 calls a minute that take 15 s each. */
const SLOTS_PER_SHARD = 4;
const MAX_SLOTS = 24;
/** Of a librarian without a shard. */
const SLOTS_WITHOUT_SHARD = 8;

interface LibrarianParts {
  config: Config;
  /** With their tiers known (`requireShards`). Empty where a route names other models alone. */
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
    slots: shards.length === 0 ? SLOTS_WITHOUT_SHARD : Math.min(MAX_SLOTS, SLOTS_PER_SHARD * shards.length),
    onStuck,
    createRole: (base) => createRole(parts, base),
  });
  return { ...worker, contextStats: role.contextStats };
}

type Role = WorkerRole<typeof archiveQueue.data, typeof archiveQueue.result> & Pick<RunningLibrarian, 'contextStats'>;

function createRole(parts: LibrarianParts, base: WorkerBase): Role {
  const { config, shards, log, dayAt = pacificDay } = parts;
  const { db, queues, notifier, subscriber, currentSession, workerId } = base;
  const others = openOtherSwarms({ config, db, log });
  // Where one of them may not see a finding, none does: a prompt is made before it is known who answers it.
  const vendors = toVendors(config);
  const context = createArchiveAcross(createArchiveContext(db, { vendors }), others, vendors);
  const keyed = shards.map((shard) => ({ ...shard, keyDigest: toKeyDigest(shard.apiKey) }));
  const gate = createRateGate({ db, shards: keyed, log, notifier, dayAt, pacing: config.GEMINI_PACING === '1' });
  const catalog = catalogOf(config);
  const limitKeyOf = (id: string): string | undefined => parts.models.limitKeyOf?.(id);
  const pacer = createPacer({ db, limitKeyOf, rowOf: pacedRowsOf(catalog), who: workerId, log });
  const external: ExternalQueriesParts = { db, queue: queues.archive, currentSession, log };
  return {
    handler: openQueryHandler(parts, { ...base, context, gate, pacer }),
    async start() {
      const stopKeys = await keepShardKeys({ db, workerId, shards, log, dayAt });
      return [stopKeys, await watchExternalQueries(external, subscriber)];
    },
    async getReady() {
      await Promise.all([context.refresh(), sweepExternalQueries(external)]);
      return { shards: shards.length, ...context.stats() };
    },
    openings: { shards: createShardOpening({ db, shards, dayAt }) },
    async close() {
      await pacer.close();
      await others.close();
    },
    endWaits: () => gate.close(), // queries that wait for room go back to waiting
    contextStats: context.stats,
  };
}

/** Puts together what answers one query: the archive's prompts, the way to a model, and the record. */
function openQueryHandler(
  { config, shards, models }: { config: Config; shards: readonly ShardConfig[]; models: LibrarianModels },
  parts: {
    db: Db;
    context: ArchiveContext;
    gate: RateGate;
    pacer: Pacer;
    currentSession: () => Promise<string>;
    workerId: string;
  },
): QueryHandler {
  const { db, context, gate, pacer, currentSession, workerId } = parts;
  const now = (): Date => db.clock.date();
  const catalog = catalogOf(config);
  const entry = catalog.find(config.FLEET_GEMINI_MODEL, now());
  const { FLEET_FALLBACK_MODEL: fallback } = config;
  const findModel = (id: string): ArchiveModel | null =>
    (readArchiveRoute(config) === null ? null : models.find?.(id)) ?? (id === fallback ? models.fallback : null);
  const estimate = createTokenEstimate();
  const largestTpm = Math.max(...shards.map(({ tpm }) => tpm));
  return createQueryHandler({
    transcripts: openTranscripts(config, db.redact),
    prompts: createArchivePrompts({ db, context, estimate }),
    routing: {
      gate,
      shards: new Map(
        shards.map((shard): [number, AskableModel] => {
          return [shard.number, { model: models.forShard(shard), payer: { entry, free: shard.tier === 'free' } }];
        }),
      ),
      chain: toArchiveChain({ config, shards, catalog, findModel, at: now() }),
      pacer,
      resting: new Map(),
      estimate,
      maxTokens: Math.floor(WINDOW_SHARE * Math.min(entry.contextTokens, largestTpm)),
    },
    recording: { db, ledger: createTurnLedger({ db, workerId, queue: 'archive', apart: 'archive' }), workerId, now },
    payer: { entry, free: true },
    currentSession,
  });
}

/** Of all models that may answer, and of the shards. */
function toVendors(config: Config): string[] {
  const ids = readArchiveRoute(config) ?? [config.FLEET_GEMINI_MODEL, ...toFallbackId(config)];
  return ids.map((id) => catalogOf(config).findPrices(id, new Date()).vendor);
}

function toFallbackId({ DEEPSEEK_API_KEY: key, FLEET_FALLBACK_MODEL: id }: Config): string[] {
  return key === undefined ? [] : [id];
}

import { archiveQueue } from '../../queues/archive.ts';
import type { Config } from '../config/environment.ts';
import { watchExternalFindings } from '../findings/external/watch.ts';
import { listenToControl } from '../swarm/control.ts';
import { openWorkerBase } from '../jobs/open-worker.ts';
import { runWorker } from '../jobs/worker/run-worker.ts';
import { keepPresence } from '../swarm/presence.ts';
import { takeWorkerName } from '../swarm/worker-name.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import type { Logger } from '../process/logger.ts';
import type { ArchiveModel } from '../models/archive-model.ts';
import { findModel } from '../pricing/catalog.ts';
import { createSessionReader } from '../swarm/session.ts';
import type { ShardConfig } from '../config/shards.ts';
import { createArchiveContext, type ArchiveContext, type ContextStats } from './archive/context.ts';
import { createArchivePrompts } from './answer/archive-prompts.ts';
import type { AskableModel } from './answer/types.ts';
import { createQueryHandler, type QueryHandler } from './answer/handler.ts';
import { createRateGate } from './gate/rate-gate.ts';
import type { RateGate } from './gate/types.ts';
import type { Db } from '../redis/db.ts';
import { sweepExternalQueries, watchExternalQueries, type ExternalQueriesParts } from './queries/external-queries.ts';
import { createTokenEstimate } from './archive/token-estimate.ts';

export interface RunningLibrarian {
  workerId: string;
  contextStats(): ContextStats;
  /** Whether Redis is away and no query runs: `close` would then wait for Redis and store nothing. */
  nothingToStore(): boolean;
  close(): Promise<void>;
}

export interface LibrarianModels {
  forShard(shard: ShardConfig): ArchiveModel;
  /** Null: no key of another vendor is configured. */
  fallback: ArchiveModel | null;
}

/** Queries at once for each shard: enough for 15 calls a minute that take 15 s each. */
const SLOTS_PER_SHARD = 4;
const MAX_SLOTS = 24;
/** Share of the model's window that the shown findings may fill; the rest is for the question and its answer. Source: SPEC. */
const WINDOW_SHARE = 0.9;

/** Runs a librarian, which answers the archive's queries until it is closed. Tests run several in one process. */
export async function runLibrarian(parts: {
  config: Config;
  /** With their tiers known (`requireShards`). */
  shards: readonly ShardConfig[];
  models: LibrarianModels;
  log: Logger;
  onStuck?: () => void;
}): Promise<RunningLibrarian> {
  const { config, shards, models, log } = parts;
  const base = await openWorkerBase(config, { kind: 'librarian', log });
  const { db, subscriber, queues, notifier, halt } = base;
  const { redis, keys } = db;
  const name = await takeWorkerName(db, undefined, 'librarian');
  const context = createArchiveContext(db);
  const gate = createRateGate({ db, shards, log, notifier, pacing: config.GEMINI_PACING === '1' });
  const currentSession = createSessionReader(db);
  const handle = openQueryHandler({ config, shards, models }, { db, context, gate, currentSession, workerId: name.id });
  const concurrency = Math.min(MAX_SLOTS, SLOTS_PER_SHARD * shards.length);
  const running = runWorker(archiveQueue, handle, {
    db,
    queue: queues.archive,
    halt,
    log,
    workerId: name.id,
    concurrency,
    ...(parts.onStuck === undefined ? {} : { onStuck: parts.onStuck }),
  });
  const external: ExternalQueriesParts = { db, queue: queues.archive, currentSession, log };
  await listenToControl(subscriber, keys, (message) => {
    if (message.type === 'cancel') running.cancel(message.jobId);
  });
  const stopSweeping = await watchExternalQueries(external, subscriber);
  const stopWatching = watchExternalFindings({ db, url: config.REDIS_URL, log });
  const leave = await keepPresence({ db, name, log });
  await running.worker.waitUntilReady();
  await Promise.all([context.refresh(), sweepExternalQueries(external)]);
  log.info({ workerId: name.id, slots: concurrency, shards: shards.length, ...context.stats() }, 'ready');

  return {
    workerId: name.id,
    contextStats: context.stats,
    nothingToStore: () => redis.status !== 'ready' && running.activeJobs().length === 0,
    async close() {
      await Promise.all([stopSweeping(), stopWatching()]);
      const closing = running.close(); // takes no more queries; calls that were sent end, and their answers are recorded
      await gate.close(); // queries that wait for room go back to waiting
      await closing;
      await notifier.flush();
      await leave();
      await base.close(); // last: nothing may use its connections after this line
    },
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

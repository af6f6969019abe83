import { archiveQueue } from '../../queues/archive.ts';
import type { Config } from '../config/environment.ts';
import { watchForeignFindings } from '../findings/external/watch.ts';
import { listenToControl } from '../swarm/control.ts';
import { openWorkerBase } from '../jobs/open-worker.ts';
import { runWorker } from '../jobs/worker/run-worker.ts';
import { showAlive } from '../swarm/presence.ts';
import { takeWorkerName } from '../swarm/worker-name.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import type { Logger } from '../process/logger.ts';
import type { ArchiveModel } from '../models/archive-model.ts';
import { findModel } from '../pricing/catalog.ts';
import { createSessionReader } from '../swarm/session.ts';
import type { ShardConfig } from '../config/shards.ts';
import { createArchiveContext, type ContextStats } from './archive/context.ts';
import type { AskableModel } from './answer/shard-router.ts';
import { createQueryHandler } from './answer/handler.ts';
import { createRateGate } from './gate/rate-gate.ts';
import { sweepExternalQueries, watchExternalQueries, type ExternalQueriesParts } from './queries/external-queries.ts';
import { createTokenEstimate } from './archive/token-estimate.ts';

export interface RunningLibrarian {
  workerId: string;
  contextStats(): ContextStats;
  /** Whether Redis is away and no query runs: then closing would only wait for it. */
  nothingToStore(): boolean;
  close(): Promise<void>;
}

export interface LibrarianModels {
  forShard(shard: ShardConfig): ArchiveModel;
  /** Null: no key for another vendor. */
  fallback: ArchiveModel | null;
}

/** Calls under way at once for each shard: enough for 15 a minute that take a quarter of it. */
const SLOTS_PER_SHARD = 4;
const MAX_SLOTS = 24;
/** SPEC: the context fills so much of the model's window; the rest is for the question and what it answers. */
const WINDOW_SHARE = 0.9;

/** A librarian: answers the archive's queries until it is closed. Several may run in one process, as tests do. */
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
  const entry = findModel(config.FLEET_GEMINI_MODEL, new Date());
  const handle = createQueryHandler({
    db,
    ledger: createTurnLedger({ db, workerId: name.id, now: () => new Date(), queue: 'archive' }),
    context,
    gate,
    shards: new Map(
      shards.map((shard): [number, AskableModel] => [
        shard.number,
        { model: models.forShard(shard), payer: { entry, free: shard.tier === 'free' } },
      ]),
    ),
    fallback: toFallback(config, models.fallback),
    estimate: createTokenEstimate(),
    maxTokens: Math.floor(WINDOW_SHARE * Math.min(entry.contextTokens, Math.max(...shards.map((shard) => shard.tpm)))),
    payer: { entry, free: true },
    workerId: name.id,
    currentSession,
    now: () => new Date(),
  });
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
  const stopWatching = watchForeignFindings({ db, url: config.REDIS_URL, log });
  const leave = await showAlive({ db, name, log });
  await running.worker.waitUntilReady();
  await Promise.all([context.refresh(), sweepExternalQueries(external)]);
  log.info({ workerId: name.id, slots: concurrency, shards: shards.length, ...context.stats() }, 'ready');

  return {
    workerId: name.id,
    contextStats: context.stats,
    nothingToStore: () => redis.status !== 'ready' && running.activeJobs().length === 0,
    async close() {
      await Promise.all([stopSweeping(), stopWatching()]);
      const closing = running.close(); // stop fetching; calls under way end, and their answers are recorded
      await gate.close(); // who waits for room is handed back
      await closing;
      await notifier.flush();
      await leave();
      await base.close(); // last: nothing may use its connections after this line
    },
  };
}

function toFallback(config: Config, model: ArchiveModel | null): AskableModel | null {
  if (model === null) return null;
  return { model, payer: { entry: findModel(config.FLEET_FALLBACK_MODEL, new Date()), free: false } };
}

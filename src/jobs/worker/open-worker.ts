import type { z } from 'zod';
import type { QueueDefinition } from '../../../queues/define.ts';
import type { QueueName } from '../../../queues/registry.ts';
import type { Config } from '../../config/environment.ts';
import { watchExternalFindings } from '../../findings/external/watch.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import { createRunRecords } from '../../run-record/run-record.ts';
import { noteActivity } from '../../swarm/activity.ts';
import { listenToControl } from '../../swarm/control.ts';
import { startHeartbeat } from '../../swarm/heartbeat.ts';
import { keepPresence } from '../../swarm/presence.ts';
import { startSampling } from '../../swarm/tallies/sample-tallies.ts';
import type { ProcessKind } from '../../swarm/types.ts';
import { countOf } from '../../text/plural.ts';
import type { TraceParts } from '../../traces/start-traces.ts';
import { startAlerts } from '../alerts/alerts.ts';
import { createOpenings, type Openings } from '../wake/openings.ts';
import { startWaker } from '../wake/waker.ts';
import { toRunMs } from './active-run.ts';
import type { ProgressReader } from './crash-count.ts';
import { startTranscriptSweep } from './transcript-sweep.ts';
import { runWorker, type JobHandler, type RunningWorker } from './run-worker.ts';
import { openWorkerBase, type WorkerBase } from './worker-base.ts';

/** What one kind of worker does with its jobs, and beside them. */
export interface WorkerRole<Data extends z.ZodObject, Result extends z.ZodType> {
  handler: JobHandler<Data, Result>;
  /** Model of jobs that name none. */
  defaultModel?: string;
  /** See `WorkerParts`. */
  readProgress?: ProgressReader;
  /** Starts what runs beside the jobs. @returns what stops it */
  start(running: RunningWorker): (() => Promise<void>)[] | Promise<(() => Promise<void>)[]>;
  /** What its delayed jobs may wait for beside money and models. */
  openings?: Openings;
  /** Called with the reason when the fleet halts. */
  onHalt?: (reason: string) => void;
  /** Called last before the worker is ready. @returns fields of the log line `ready` */
  getReady?: () => object | Promise<object>;
  /** Called while the last runs end: makes those end that wait for something in this process. */
  endWaits?: () => Promise<void>;
  /** Closes what the runs used, after the last of them. */
  close?: () => Promise<void>;
}

export interface WorkerOptions<Data extends z.ZodObject, Result extends z.ZodType, Role> {
  config: Config;
  log: Logger;
  kind: ProcessKind;
  queue: QueueDefinition<QueueName, string, z.ZodObject, Data, Result>;
  /** Jobs at once. */
  slots: number;
  /** See `watchExternalFindings`; default 0. */
  watchAfterMs?: number;
  /** Called once when the worker no longer takes jobs. */
  onStuck?: (() => void) | undefined;
  createRole(base: WorkerBase): Role;
}

export interface OpenWorker {
  workerId: string;
  /** Whether Redis is away and no job runs: `close` would then wait for Redis and store nothing. */
  nothingToStore(): boolean;
  /** See `RunningWorker`. */
  cutOff(): void;
  close(): Promise<void>;
}

/**
 * Opens a worker of any kind: connections, name, handler, BullMQ's worker, control messages, what runs beside the jobs,
 * sign of life. It closes them in reverse: jobs that run end and are stored, the others go back to waiting.
 * @throws what `openWorkerBase` throws
 */
export async function openWorker<
  Data extends z.ZodObject,
  Result extends z.ZodType,
  Role extends WorkerRole<Data, Result>,
>(options: WorkerOptions<Data, Result, Role>): Promise<{ worker: OpenWorker; role: Role }> {
  const { config, log, queue, slots, watchAfterMs = 0, onStuck } = options;
  const base = await openWorkerBase(config, options);
  const { db, subscriber, notifier, halt, workerId } = base;
  const role = options.createRole(base);
  let presence: Presence | undefined; // jobs may start before it
  const wakerParts = { ...base, log };
  const waker = startWaker(wakerParts, createOpenings(base));
  const wakers = role.openings === undefined ? [waker] : [waker, startWaker(wakerParts, role.openings)];
  const running = runWorker(queue, role.handler, {
    db,
    queue: base.queues[queue.name],
    halt,
    log,
    workerId,
    concurrency: slots,
    createRecord: createRunRecords(db, config.FLEET_RUN_DAYS),
    runMs: toRunMs(queue.timeoutMs, config.FLEET_CALL_TIMEOUT_MS),
    onChange() {
      presence?.touch();
      waker.jobEnded();
    },
    onMoneyAwaited: () => waker.moneyAwaited(),
    ...(role.defaultModel === undefined ? {} : { defaultModel: role.defaultModel }),
    ...(role.readProgress === undefined ? {} : { readProgress: role.readProgress }),
    ...(onStuck === undefined ? {} : { onStuck }),
  });
  await listenToControl(subscriber, db.keys, (message) => {
    if (message.type === 'cancel') running.cancel(message.jobId);
    if (message.type === 'halt') role.onHalt?.(message.reason);
  });
  const stops = await role.start(running);
  stops.push(startAlerts({ db, notifier, config, log }), startTranscriptSweep({ db, config, log }));
  stops.push(startSampling({ db, log }));
  const stopTraces = await startTracesIfWanted({ db, worker: running.worker, config, workerId, log });
  stops.push(watchExternalFindings({ db, url: config.REDIS_URL, log, patienceMs: watchAfterMs }));
  await running.worker.waitUntilReady();
  presence = await startPresence(options, base, running);
  log.info({ workerId, slots, ...(await role.getReady?.()) }, 'ready');

  const { stop: stopPresence } = presence;
  return {
    role,
    worker: {
      workerId,
      nothingToStore: () => db.redis.status !== 'ready' && running.activeJobs().length === 0,
      cutOff: running.cutOff,
      async close() {
        await Promise.all([...stops.map((stop) => stop()), ...wakers.map(({ stop }) => stop())]);
        const closing = running.close();
        await role.endWaits?.();
        await closing;
        await role.close?.();
        await stopTraces(); // after the last job
        await stopPresence();
        await notifier.flush();
        await base.closeConnections();
      },
    },
  };
}

/** Loads the code of traces only where a receiver is named. @returns what stops it */
async function startTracesIfWanted(parts: TraceParts): Promise<() => Promise<void>> {
  if (parts.config.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return () => Promise.resolve();
  const { startTraces } = await import('../../traces/start-traces.ts');
  return startTraces(parts);
}

/** The sign of life of this process. */
interface Presence {
  /** A job started or ended. */
  touch(): void;
  /** Removes it, and releases the name. */
  stop(): Promise<void>;
}

async function startPresence(
  {
    config,
    log,
    kind,
    slots,
  }: Pick<WorkerOptions<z.ZodObject, z.ZodType, unknown>, 'config' | 'log' | 'kind' | 'slots'>,
  { db, name }: WorkerBase,
  { activeJobs }: RunningWorker,
): Promise<Presence> {
  const noteEnd = (): Promise<void> => noteActivity(db, { what: 'left', id: name.id, worker: name.id });
  if (kind !== 'haiku') {
    const end = await keepPresence({ db, name, log });
    await noteStart(db, name.id, slots);
    return { touch: () => undefined, stop: async () => (await end(), noteEnd()) };
  }
  const workspaces = Object.keys(config.FLEET_WORKSPACES);
  const programs = config.FLEET_RUN_ALLOW;
  const own = { workerId: name.id, slots, workspaces, programs, vendors: config.workspaceVendors };
  const heartbeat = startHeartbeat({ db, log, ...own, activeJobs, hold: name.hold });
  await heartbeat.beat();
  await noteStart(db, name.id, slots);
  return {
    touch: heartbeat.touch,
    async stop() {
      await heartbeat.stop();
      await name.release();
      await noteEnd();
    },
  };
}

function noteStart(db: Db, id: string, slots: number): Promise<void> {
  return noteActivity(db, { what: 'joined', id, text: countOf(slots, 'slot'), worker: id });
}

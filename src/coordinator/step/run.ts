import { hash } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { MissionData } from '../../../queues/missions.ts';
import { toOwner } from '../../../queues/owner.ts';
import type { QueueName } from '../../../queues/registry.ts';
import type { Config } from '../../config/environment.ts';
import type { HaltSwitch } from '../../halt/halt.ts';
import type { JobRun } from '../../jobs/worker/run-worker.ts';
import type { TurnLedger } from '../../ledger/types.ts';
import type { Model } from '../../models/model.ts';
import { withTranscript } from '../../models/transcribed-model.ts';
import { openTranscripts } from '../../run-record/transcripts/open-transcripts.ts';
import type { Pacer } from '../../pacing/types.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { createStructuredCalls, type StructuredCalls } from '../calls/structured-call.ts';
import { toMissionFindingId } from '../mission/id.ts';
import { toAllowedVendors } from '../../routing/allowed-vendors.ts';
import { MissionChildren } from './children.ts';
import { MissionJob } from './job.ts';
import { MissionRecordStore } from './record.ts';
import type { Mission } from './types.ts';
import { catalogOf } from '../../pricing/catalog.ts';

/** What all missions of one coordinator process share. */
export interface CoordinatorParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  halt: HaltSwitch;
  config: Config;
  notifier: Notifier;
  model: Model;
  /** Keeps the provider's limits. Null: nothing limits the model. */
  pacer: Pacer | null;
  ledger: TurnLedger;
  workerId: string;
  log: Logger;
  now(): Date;
}

/**
 * One run of one mission. A step takes the members it needs (`Pick<MissionRun, …>`).
 *
 * Delivery contract: the run may die at any line, and the next run begins at the first line. It finds what `record`
 * stored, `calls` answers a paid call from the store, and `children` adds no child twice.
 */
export interface MissionRun extends Pick<
  CoordinatorParts,
  'db' | 'queues' | 'halt' | 'config' | 'workerId' | 'log' | 'now'
> {
  mission: Mission;
  /** Its BullMQ job: log, and waiting. */
  job: MissionJob;
  /** The coordinator's own paid calls, booked to the mission. */
  calls: StructuredCalls;
  /** Queries and tasks that the mission waits for. */
  children: MissionChildren;
  /** The stored record of the mission. */
  record: MissionRecordStore;
}

/** Builds one run of one mission. */
export function createMissionRun(
  parts: CoordinatorParts,
  { data, session, run }: { data: MissionData; session: string; run: JobRun },
): MissionRun {
  const { db, queues, halt, config, notifier, workerId, log, now } = parts;
  const id = run.job.id ?? '';
  const mission = { id, data, session, vendors: toAllowedVendors(data, config.workspaceVendors) };
  const record = new MissionRecordStore({ db, id, now });
  const job = new MissionJob({ db, record, notifier, workerId, now }, run);
  const calls = createCalls(parts, mission, run);
  const children = new MissionChildren({ db, queues }, mission, job);
  return { db, queues, halt, config, workerId, log, now, mission, job, calls, children, record };
}

function createCalls(
  { db, config, model, pacer, ledger, workerId, now }: CoordinatorParts,
  { id, data, session }: Mission,
  run: JobRun,
): StructuredCalls {
  const pace = pacer?.enter({ isCounted: false, note: (line) => run.job.log(line) });
  return createStructuredCalls({
    model: withTranscript(pace?.watch(model) ?? model, {
      transcripts: openTranscripts(config, db.redact),
      db,
      note: (line) => run.job.log(line),
    }),
    catalog: catalogOf(config),
    ledger,
    pace,
    identity: {
      jobId: id,
      token: run.token,
      attempt: run.job.attemptsMade,
      addedAt: run.job.timestamp,
      digest: toDigest(data),
      findingId: toMissionFindingId(id),
      session,
      batch: null,
      missionId: id,
      ...toOwner(data),
      budgetNanoUsd: null,
      record: run.record,
    },
    signal: run.signal,
    isDraining: run.isDraining,
    place: run.place,
    workerId,
    now,
    note: (line) => run.job.log(line),
  });
}

/** Digest of the person's input. Session and client are left out: the producer adds them. */
function toDigest({ session: _session, client: _client, ...input }: MissionData): string {
  return hash('sha256', JSON.stringify(input)).slice(0, 16);
}

import { toOwner, type Owner } from '../../../queues/owner.ts';
import type { Config } from '../../config/environment.ts';
import { createFinding } from '../../findings/create-finding.ts';
import type { Finding } from '../../findings/finding.ts';
import { formatCost } from '../../pricing/free-local.ts';
import type { JobTotals, RecordAnswer } from '../../ledger/types.ts';
import { catalogOf, type CatalogEntry } from '../../pricing/catalog.ts';
import { keepRecord } from '../../swarm/damage/kept-records.ts';
import { findingTaken, lockLost } from '../../ledger/refusals.ts';
import type { Db } from '../../redis/db.ts';
import type { RunRecord } from '../../run-record/run-record.ts';
import { toWellFormedJson } from '../../text/well-formed.ts';
import type { MissionEnd, MissionOutcome } from './types.ts';

/** What a mission's finding holds besides its outcome. */
export interface MissionStamp extends Owner {
  id: string;
  findingId: string;
  /** BullMQ's lock token. */
  token: string;
  goal: string;
  session: string;
  topics: readonly string[];
  workerId: string;
  /** Vendors that may be sent its finding. Null: all. */
  vendors: readonly string[] | null;
  /** What the run noted. Absent: nothing is recorded. */
  record?: RunRecord | undefined;
  /** Cost of the coordinator's own calls. The findings of the tasks hold the cost of the tasks. */
  totals: JobTotals;
}

/**
 * Stores the finding of a mission, once, and marks the mission as done in the same step.
 * @throws LockLostError, TaskFailedError `finding-taken`
 */
export async function storeMission(
  parts: { db: Db; config: Pick<Config, 'FLEET_COORDINATOR_MODEL' | 'models'>; now(): Date },
  outcome: MissionOutcome,
  stamp: MissionStamp,
): Promise<MissionEnd> {
  const { now } = parts;
  const { keys, scripts } = parts.db;
  const { id, findingId, token, session, topics, workerId, totals } = stamp;
  const endedAt = now();
  const entry = catalogOf(parts.config).findPrices(outcome.model, endedAt);
  const text = JSON.stringify(toMissionFinding(outcome, stamp, { entry, endedAt }));
  const log = `${endedAt.toISOString()} done: ${findingId} cites ${outcome.citations.length} findings (${formatCost(totals.nanoUsd, 6, entry.isLocal)} for ${totals.calls} calls of the coordinator, ${workerId})`;
  const key = keys.finding(findingId);
  const entries = stamp.record?.take() ?? [];
  const record = (lock: string): Promise<RecordAnswer> =>
    scripts['finish-mission'](
      {
        turns: keys.turns(id),
        lock: keys.jobLock('missions', id),
        logs: keys.jobLogs('missions', id),
        finding: key,
        index: keys.index,
        bySession: keys.indexBySession(session),
        contextActive: keys.contextActive,
        session: keys.session,
        events: keys.events,
        mission: keys.mission(id),
        added: keys.missionAdded(id),
        byShard: keys.indexByShard(stamp.shard ?? ''),
        reservations: keys.reservations,
        counters: keys.counters,
        run: keys.run(id),
        metrics: keys.metrics,
      },
      [
        toWellFormedJson({
          token: lock,
          worker: workerId,
          job: id,
          id: findingId,
          at: String(endedAt.getTime()),
          ended: endedAt.toISOString(),
          tokens: String(Math.ceil(text.length / 4)),
          session,
          shard: stamp.shard ?? '',
          log,
          record: entries,
          topics: topics.join(','),
          findings_channel: keys.channelFindings,
          completions_channel: keys.channelCompletions,
        }),
        text,
      ],
    );
  const answer = await keepRecord(parts.db, { key, text, token }, record);
  if (answer === 'lock-lost') throw lockLost(id);
  if (answer === 'taken') throw findingTaken(findingId);
  return { findingId, costNanoUsd: totals.nanoUsd };
}

function toMissionFinding(
  outcome: MissionOutcome,
  stamp: MissionStamp,
  { entry, endedAt }: { entry: CatalogEntry; endedAt: Date },
): Finding {
  const { id, findingId, goal, session, topics, workerId, totals } = stamp;
  const { result, citations, summary, kind, promptVersion, model } = outcome;
  return createFinding({
    identity: { findingId, jobId: id, session, batch: null, missionId: id, ...toOwner(stamp) },
    workerId,
    storedAt: endedAt.toISOString(),
    task: goal,
    result,
    ...(summary === undefined ? {} : { summary }),
    kind,
    model: { ...entry, id: model },
    promptVersion,
    totals,
    citations,
    topics: [...topics],
    vendors: stamp.vendors,
  });
}

import type { Config } from '../../config/environment.ts';
import { createFinding } from '../../findings/create-finding.ts';
import type { Finding } from '../../findings/finding.ts';
import { formatUsd } from '../../pricing/money.ts';
import type { JobTotals } from '../../ledger/types.ts';
import { findPrices } from '../../pricing/catalog.ts';
import { findingTaken, lockLost } from '../../ledger/refusals.ts';
import type { Db } from '../../redis/db.ts';
import { toWellFormedJson } from '../../text/well-formed.ts';
import type { MissionEnd, MissionOutcome } from './types.ts';

/** What a mission's finding holds besides its outcome. */
export interface MissionStamp {
  id: string;
  findingId: string;
  /** BullMQ's lock token. */
  token: string;
  goal: string;
  session: string;
  topics: readonly string[];
  workerId: string;
  /** Cost of the coordinator's own calls. The findings of the tasks hold the cost of the tasks. */
  totals: JobTotals;
}

/**
 * Stores the finding of a mission, once, and marks the mission as done in the same step.
 * @throws LockLostError, TaskFailedError `finding-taken`
 */
export async function storeMission(
  parts: { db: Db; config: Pick<Config, 'FLEET_SONNET_MODEL'>; now(): Date },
  outcome: MissionOutcome,
  stamp: MissionStamp,
): Promise<MissionEnd> {
  const { now } = parts;
  const { keys, scripts } = parts.db;
  const { id, findingId, token, session, topics, workerId, totals } = stamp;
  const endedAt = now();
  const text = JSON.stringify(toMissionFinding(outcome, stamp, endedAt));
  const log = `${endedAt.toISOString()} done: ${findingId} cites ${outcome.citations.length} findings (${formatUsd(totals.nanoUsd, 6)} for ${totals.calls} calls of the coordinator, ${workerId})`;
  const answer = await scripts['finish-mission'](
    {
      turns: keys.turns(id),
      lock: keys.jobLock('missions', id),
      logs: keys.jobLogs('missions', id),
      finding: keys.finding(findingId),
      index: keys.index,
      bySession: keys.indexBySession(session),
      contextActive: keys.contextActive,
      session: keys.session,
      events: keys.events,
      mission: keys.mission(id),
      added: keys.missionAdded(id),
    },
    [
      toWellFormedJson({
        token,
        worker: workerId,
        job: id,
        id: findingId,
        at: String(endedAt.getTime()),
        ended: endedAt.toISOString(),
        tokens: String(Math.ceil(text.length / 4)),
        session,
        log,
        topics: topics.join(','),
        findings_channel: keys.channelFindings,
        completions_channel: keys.channelCompletions,
      }),
      text,
    ],
  );
  if (answer === 'lock-lost') throw lockLost(id);
  if (answer === 'taken') throw findingTaken(findingId);
  return { findingId, costNanoUsd: totals.nanoUsd };
}

function toMissionFinding(outcome: MissionOutcome, stamp: MissionStamp, endedAt: Date): Finding {
  const { id, findingId, goal, session, topics, workerId, totals } = stamp;
  const { result, citations, summary, kind, promptVersion, model } = outcome;
  return createFinding({
    identity: { findingId, jobId: id, session, batch: null, missionId: id },
    workerId,
    storedAt: endedAt.toISOString(),
    task: goal,
    result,
    ...(summary === undefined ? {} : { summary }),
    kind,
    model: { id: model, vendor: findPrices(model, endedAt).vendor },
    promptVersion,
    totals,
    citations,
    topics: [...topics],
  });
}

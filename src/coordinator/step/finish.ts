import { toOwner } from '../../../queues/owner.ts';
import type { JobTotals } from '../../ledger/types.ts';
import { toMissionFindingId } from '../mission/id.ts';
import type { MissionRun } from './run.ts';
import { storeMission } from './store-mission.ts';
import type { MissionEnd, MissionOutcome } from './types.ts';

/**
 * Stores the finding of a mission, once, and marks the mission as done.
 * @throws LockLostError, TaskFailedError `finding-taken`
 */
export async function finishMission(
  run: Pick<MissionRun, 'db' | 'config' | 'workerId' | 'now' | 'mission' | 'job' | 'calls'>,
  outcome: MissionOutcome,
): Promise<MissionEnd> {
  const { db, config, now, workerId, job } = run;
  const { id, data, session } = run.mission;
  const end = await storeMission({ db, config, now }, outcome, {
    id,
    findingId: toMissionFindingId(id),
    token: job.token,
    record: job.notes,
    goal: data.goal,
    session,
    ...toOwner(data),
    topics: data.topics ?? [],
    workerId,
    vendors: run.mission.vendors,
    totals: await readTotals(run),
  });
  job.announceDone(end.findingId);
  return end;
}

/** The cost of the mission's own calls. A run that made no call reads what the runs before it have stored. */
async function readTotals({
  db: { redis, keys },
  mission,
  calls,
}: Pick<MissionRun, 'db' | 'mission' | 'calls'>): Promise<JobTotals> {
  const totals = calls.totals();
  const stored = totals.calls > 0 ? null : await redis.hget(keys.turns(mission.id), 'totals');
  return stored === null ? totals : (JSON.parse(stored) as JobTotals);
}

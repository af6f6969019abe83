import { noteChange } from '../../audit/note-change.ts';
import { storePaperDecision } from '../paper/decisions.ts';
import { readPaper } from '../paper/record.ts';
import { describeAllParked } from '../upkeep/blocked.ts';
import { UsageError } from '../../errors.ts';
import { noteActivity } from '../../swarm/activity.ts';
import { releaseParked } from '../../jobs/outcomes/parked.ts';
import { promote } from '../../jobs/wake/promote.ts';
import type { MissionDecision, ResumedMission } from '../mission/review-types.ts';
import { markReleased, readMissionFields } from '../mission/record.ts';
import { startOwnJob } from '../mission/start-job.ts';
import { findMission, isCausedBy, type FoundMission } from './find.ts';
import type { MissionStopParts } from './park.ts';

/**
 * Resumes a mission that waits for a person, is parked, or caused a halt. Lifts a halt only if this mission caused it. A
 * second call after a crash does the steps that the first did not reach.
 * @param by the person's name
 * @throws NotFoundError; UsageError for a mission that has ended or runs, or a decision that does not fit it
 */
export async function resumeMission(
  parts: MissionStopParts,
  id: string,
  decision: MissionDecision | null,
  by: string,
): Promise<ResumedMission> {
  const found = await findMission(parts, id);
  const resumed = await letGoOn(parts, id, { found, decision, by });
  const [state = null] = await readMissionFields(parts.db, id, 'state');
  await noteChange(parts.db, {
    what: 'resume-mission',
    about: { mission: id },
    before: { state: found.parked ? 'parked' : found.state },
    after: { state, ...(decision === null ? {} : { decision }), released: resumed.released },
  });
  return resumed;
}

/** As `resumeMission`, for a caller that notes it in the audit itself. */
export async function letGoOn(
  parts: MissionStopParts,
  id: string,
  { found, decision, by }: { found: FoundMission; decision: MissionDecision | null; by: string },
): Promise<ResumedMission> {
  const { halt } = parts;
  assertOpen(id, found);
  const said = await decide(parts, id, found, decision);
  const caused = isCausedBy(await halt.read(), id);
  if (found.state === 'planned' && !found.parked) {
    throw new UsageError(
      `mission ${id}: its plan waits for approval; fleet mission run ${id} runs it, fleet park ${id} sets it aside`,
    );
  }
  const waits = isWaiting(found);
  if (waits) await releaseMission(parts, id, found.state, by);
  let released = await releaseParked(parts, { scope: 'parked-mission', name: id });
  if (waits || caused || said !== null) released += await releaseOwnJob(parts, id);
  else if (found.state === 'running' && (await startOwnJob(parts, id, null))) released += 1; // a call that died had released it
  if (caused) await halt.resume(by);
  if (!waits && !caused && said === null && released === 0) {
    const forBudget = await describeOverBudget(parts, id);
    throw new UsageError(
      `mission ${id}: is ${found.state}, and ${forBudget ?? `nothing of it waits for a person; fleet mission ${id} shows it`}`,
    );
  }
  return { said, released, liftedHalt: caused };
}

function assertOpen(id: string, { state }: FoundMission): void {
  if (state === 'done') throw new UsageError(`mission ${id}: is done; fleet mission ${id} shows its answer`);
  if (state === 'cancelled') throw new UsageError(`mission ${id}: was cancelled; fleet retry ${id} runs it after all`);
  if (state !== 'failed') return;
  throw new UsageError(`mission ${id}: has failed; fleet retry its failed tasks, then fleet retry ${id}`);
}

/** Stores the decision about a blocked paper. @returns text for the person; null: the mission writes no paper or is not blocked */
async function decide(
  { db, halt }: MissionStopParts,
  id: string,
  found: FoundMission,
  decision: MissionDecision | null,
): Promise<string | null> {
  const paper = await readPaper(db, id);
  if (paper === null) {
    if (decision === null || decision === 'retry') return null;
    throw new UsageError(`mission ${id}: --${decision} is for papers that have begun; use --retry`);
  }
  const isBlocked = paper.stop !== null || isWaiting(found) || isCausedBy(await halt.read(), id);
  return isBlocked ? (await storePaperDecision(db, id, decision ?? 'retry')).said : null;
}

/** @returns why a budget holds the mission back; null: none does */
async function describeOverBudget({ db }: MissionStopParts, id: string): Promise<string | null> {
  const { redis, keys } = db;
  if ((await redis.hexists(keys.parked, id)) === 1) {
    return `its budget is reached; a higher one lets it go on: fleet budget USD --mission ${id}`;
  }
  return (await describeAllParked(db, id)) || null;
}

function isWaiting({ parked, state }: FoundMission): boolean {
  return parked || state === 'parked' || state === 'asks';
}

async function releaseMission({ db, queues }: MissionStopParts, id: string, state: string, by: string): Promise<void> {
  const releasedAt = db.clock.date().toISOString();
  await markReleased(db, id, state, releasedAt);
  await noteActivity(db, {
    what: 'released',
    id,
    text: `the mission, which was ${state === 'asks' ? 'asking' : 'set aside'}`,
    mission: id,
    worker: by,
  });
  await (await queues.missions.getJob(id))?.log(`${releasedAt} released by ${by}`);
}

/** Starts the mission's own job if it is delayed until a person releases it. @returns 1 if it was, else 0 */
async function releaseOwnJob({ queues }: MissionStopParts, id: string): Promise<number> {
  const job = await queues.missions.getJob(id);
  return job !== undefined && (await promote(job)) ? 1 : 0;
}

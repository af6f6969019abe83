import { storePaperDecision } from '../paper/decisions.ts';
import { readPaper } from '../paper/record.ts';
import { describeAllParked } from '../upkeep/blocked.ts';
import { UsageError } from '../../errors.ts';
import { promote, releaseParked } from '../../jobs/outcomes/parked.ts';
import { findMission, isCausedBy, type FoundMission } from './find.ts';
import type { MissionStopParts } from './park.ts';

/** How a person lets a mission go on; the last two are for papers. */
export type MissionDecision = 'retry' | 'skip-gemini' | 'accept-shards';

export interface ResumedMission {
  /** For the person: what a paper does now; null where it writes none. */
  said: string | null;
  /** Parked jobs that wait for a worker again, the mission's own among them. */
  released: number;
  liftedHalt: boolean;
}

/**
 * Lets a mission go on that waits for a person, was parked, or stopped the fleet; a halt is lifted only where this mission
 * caused it. May be called again after a crash: what was not done yet is done then.
 * @param by who does it
 * @throws NotFoundError; UsageError for a mission that has ended or runs, or a choice that does not fit it
 */
export async function resumeMission(
  parts: MissionStopParts,
  id: string,
  choice: MissionDecision | null,
  by: string,
): Promise<ResumedMission> {
  const { halt } = parts;
  const found = await findMission(parts, id);
  assertOpen(id, found);
  const said = await choose(parts, id, found, choice);
  const caused = isCausedBy(await halt.read(), id);
  const waits = isWaiting(found);
  if (waits) await letGo(parts, id, found.state, by);
  let released = await releaseParked(parts, { scope: 'parked-mission', name: id });
  if (waits || caused || said !== null) released += await releaseOwnJob(parts, id);
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
  if (state !== 'failed') return;
  throw new UsageError(`mission ${id}: has failed; fleet retry its failed tasks, then fleet retry ${id}`);
}

/** A paper stands at a step, and going on means one of several things; other missions only go on. */
async function choose(
  { db, halt }: MissionStopParts,
  id: string,
  found: FoundMission,
  choice: MissionDecision | null,
): Promise<string | null> {
  const paper = await readPaper(db, id);
  if (paper === null) {
    if (choice === null || choice === 'retry') return null;
    throw new UsageError(`mission ${id}: --${choice} is for papers that have begun; use --retry`);
  }
  const stands = paper.stop !== null || isWaiting(found) || isCausedBy(await halt.read(), id);
  return stands ? (await storePaperDecision(db, id, choice ?? 'retry')).said : null;
}

/** @returns null where no budget holds it back */
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

async function letGo(
  { db: { redis, keys }, queues }: MissionStopParts,
  id: string,
  state: string,
  by: string,
): Promise<void> {
  const at = new Date().toISOString();
  const before = state === 'parked' ? await redis.hget(keys.mission(id), 'parked_from') : state;
  const chain = redis
    .multi()
    .hdel(keys.spend(`mission:${id}`), 'parked')
    .hset(keys.mission(id), 'state', 'running', 'problem', '', 'updatedAt', at);
  if (before === 'asks') chain.hincrby(keys.mission(id), 'releases', 1); // what failed is asked under a new name
  await chain.exec();
  await (await queues.missions.getJob(id))?.log(`${at} released by ${by}`);
}

/** The mission's own job, delayed until a person says otherwise. @returns 1 where it waited so */
async function releaseOwnJob({ queues }: MissionStopParts, id: string): Promise<number> {
  const job = await queues.missions.getJob(id);
  return job !== undefined && (await promote(job)) ? 1 : 0;
}

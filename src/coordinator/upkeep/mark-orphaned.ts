import type { Logger } from '../../process/logger.ts';
import { missionsQueue } from '../../../queues/missions.ts';
import { listDelayedForPerson, startOwnJob } from '../mission/start-job.ts';
import { readEnds, type EndView } from '../../jobs/state/states.ts';
import type { ChildParts } from '../mission/children.ts';
import { readMissionFields, writeMission } from '../mission/record.ts';

/** Newest missions that are checked. */
const NEWEST = 100;
/** A record is created before its job is added. Younger records may still get their job. */
const YOUNG_MS = 60_000;

/**
 * Marks missions as failed whose job was removed, or failed without the handler storing it (quarantined, for example). Starts those
 * that a person has released and whose job was not started.
 */
export async function markOrphaned(parts: ChildParts & { log: Logger; now(): Date }): Promise<void> {
  const { db, log, now } = parts;
  const { redis, keys } = db;
  for (const id of await listDelayedForPerson(db, NEWEST)) {
    const [state = null] = await readMissionFields(db, id, 'state');
    if (state === 'running') await startOwnJob(parts, id, null);
  }
  const ids = await redis.zrevrangebyscore(keys.missions, now().getTime() - YOUNG_MS, '-inf', 'LIMIT', 0, NEWEST);
  if (ids.length === 0) return;
  const jobs = await readEnds(db, missionsQueue.name, ids);
  const states = await Promise.all(ids.map((id) => readMissionFields(db, id, 'state'))); // after the jobs: a run that ends writes the record first
  for (const [i, id] of ids.entries()) {
    const [state = null] = states[i] ?? [];
    if (state === null || state === 'done' || state === 'failed') continue;
    // A person ran its plan while the dry run's job was ending, or died before the job was started.
    if (state === 'running' && jobs[i]?.state === 'completed') await startOwnJob(parts, id, null);
    const problem = findProblem(jobs[i]);
    if (problem === null) continue;
    await writeMission(db, id, { state: 'failed', problem, endedAt: now().toISOString() }, now());
    log.warn({ mission: id, problem }, 'a mission had ended without a word');
  }
}

/** @returns null: the job exists and has not failed */
function findProblem(job: EndView = { state: 'unknown' }): string | null {
  if (job.state === 'unknown') return 'removed: its job is not there any more';
  return job.state === 'failed' ? job.reason : null;
}

import { missionsQueue, type MissionData } from '../../../queues/missions.ts';
import { readJob } from '../../jobs/state/states.ts';
import { promote } from '../../jobs/wake/promote.ts';
import type { Db } from '../../redis/db.ts';
import type { ChildParts } from './children.ts';
import { readMissionFields } from './record.ts';

/** BullMQ's codes for a job that is not in the state which it should leave, or does not exist. */
const MOVED = new Set<unknown>([-3, -1]);
/** A job that waits for a person is delayed by ten years; every other delay is shorter. */
const FOR_A_PERSON_MS = 365 * 24 * 3600_000;
/** BullMQ's score of a delayed job: its time in ms, times this, plus a counter. */
const SCORE_FACTOR = 0x1000;

/**
 * Starts the job of a mission whose stored state is `running`: one that waits for a person, one that ended with the plan, or one
 * that is gone. Does nothing where the job waits for its turn, runs, or is parked for its budget.
 * @param input the mission as it was given; null: a job that is gone cannot be added again
 * @returns whether it was started
 */
export async function startOwnJob({ db, queues }: ChildParts, id: string, input: MissionData | null): Promise<boolean> {
  const queue = queues[missionsQueue.name];
  const [{ state }, isForPerson, [session = null]] = await Promise.all([
    readJob(db, queue.name, id),
    isDelayedForPerson(db, id),
    readMissionFields(db, id, 'session'),
  ]);
  const job = await queue.getJob(id);
  if (job === undefined && state === 'unknown' && input !== null) {
    await queue.add(missionsQueue.jobName, { ...input, ...(session === null ? {} : { session }) }, { jobId: id });
    return true;
  }
  if (job === undefined) return false;
  if (state === 'delayed') return isForPerson && (await promote(job));
  if (state !== 'completed') return false;
  try {
    await job.retry('completed');
    return true;
  } catch (error) {
    if (MOVED.has(Reflect.get(Object(error), 'code'))) return false; // another process did so
    throw error;
  }
}

/** Whether only a person brings this job back. A job that is parked for its budget waits for another command. */
async function isDelayedForPerson({ redis, keys, clock }: Db, id: string): Promise<boolean> {
  const [score, mark] = await Promise.all([
    redis.zscore(keys.queueKey(missionsQueue.name, 'delayed'), id),
    redis.hexists(keys.parked, id),
  ]);
  return mark === 0 && score !== null && Number(score) > (clock.now() + FOR_A_PERSON_MS) * SCORE_FACTOR;
}

/** Ids of the missions that only a person brings back, at most so many. */
export function listDelayedForPerson({ redis, keys, clock }: Db, most: number): Promise<string[]> {
  const from = (clock.now() + FOR_A_PERSON_MS) * SCORE_FACTOR;
  return redis.zrangebyscore(keys.queueKey(missionsQueue.name, 'delayed'), from, '+inf', 'LIMIT', 0, most);
}

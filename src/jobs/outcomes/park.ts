import { DelayedError, type Job } from 'bullmq';
import type { BudgetReachedError } from '../../errors.ts';
import { noteActivity } from '../../swarm/activity.ts';
import { isNotHeld } from '../not-held.ts';
import { note } from './moves.ts';
import { delayJob } from '../redis-time.ts';
import { releaseJob, type ParkedMark, type ParkedScope } from './parked.ts';
import type { ThrownRun } from './types.ts';

/** A job that waits for a person is delayed this long: no clock brings it back first. */
const TEN_YEARS_MS = 10 * 365 * 24 * 3600_000;

/** Parks a job that reached a budget of its own, or whose mission a person parked. @returns the error for BullMQ */
export async function park(thrown: BudgetReachedError, run: ThrownRun): Promise<Error> {
  const { job, token, parts } = run;
  const { redis, keys } = parts.db;
  const jobId = job.id ?? '';
  const byPerson = thrown.limitNanoUsd < 0;
  const scope = byPerson ? 'parked-mission' : (thrown.scope as ParkedScope['scope']);
  const wanted: ParkedMark = { scope, name: thrown.scopeName, queue: job.queueName };
  const mark = JSON.stringify(wanted);
  await redis.hset(keys.parked, jobId, mark);
  await note(run, `${byPerson ? 'parked' : 'parked: budget'}. ${thrown.message}`, {
    kind: 'parked',
    reason: thrown.message,
  });
  await noteActivity(parts.db, {
    what: 'parked',
    id: jobId,
    text: thrown.message,
    ...toOwners(job.data),
    worker: parts.workerId,
  });
  return delayForPerson(job, token, async () => {
    const spend = keys.spend(`${thrown.scope}:${thrown.scopeName}`);
    const [limit = null, parked = null] = await redis.hmget(spend, 'limit', 'parked');
    const isRaised = byPerson ? parked === null : limit === null || Number(limit) > thrown.limitNanoUsd;
    const isReleased = (await redis.hget(keys.parked, jobId)) !== mark;
    if (isRaised || isReleased) await releaseJob(parts.db, job, wanted);
  });
}

/** Batch and mission of a job: any program may have added it. */
function toOwners(data: unknown): { batch: string | null; mission: string | null } {
  const { batch, mission_id: mission } = Object(data) as Record<string, unknown>;
  return { batch: typeof batch === 'string' ? batch : null, mission: typeof mission === 'string' ? mission : null };
}

/**
 * Delays a job until a person releases it.
 * @param releaseIfDone called afterwards: puts the job back to waiting if the person acted before it was delayed
 * @returns the error that makes BullMQ leave the moved job unchanged
 */
export async function delayForPerson(job: Job, token: string, releaseIfDone: () => Promise<unknown>): Promise<Error> {
  await delayJob(job, token, TEN_YEARS_MS).catch((error: unknown) => {
    if (!isNotHeld(error)) throw error; // if the answer to the move was lost, the person may have acted meanwhile
  });
  await releaseIfDone();
  return new DelayedError();
}

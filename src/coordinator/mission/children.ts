import type { Queue } from 'bullmq';
import { UsageError } from '../../errors.ts';
import { cancelJobs } from '../../tasks/cancel.ts';
import { tasksQueue } from '../../../queues/tasks.ts';
import { missionsQueue } from '../../../queues/missions.ts';
import { queueRegistry, type QueueName } from '../../../queues/registry.ts';
import type { Db } from '../../redis/db.ts';
import type { Keys } from '../../redis/keys.ts';

export interface ChildParts {
  db: Db;
  queues: Record<QueueName, Queue>;
}

/** One job that a mission waits for. */
export interface ChildRef {
  jobId: string;
  /** Where its finding will stand. */
  findingId: string;
}

/** How a child stands. `absent`: there is neither its job nor its finding. */
export type ChildState = { state: 'absent' | 'open' | 'done' } | { state: 'failed'; reason: string };

/** Jobs in one `addBulk`, and looked at in one pipeline: one step of a few milliseconds. */
const CHUNK = 500;

/**
 * Puts jobs into a queue as children of a mission's job. One that is there already stays as it is and is tied to the
 * mission once more: never name one that has failed, whose end nobody would tell again.
 */
export async function addChildren(
  { queues }: Pick<ChildParts, 'queues'>,
  missionId: string,
  queue: 'tasks' | 'archive',
  jobs: readonly { jobId: string; data: object }[],
): Promise<void> {
  const parent = { id: missionId, queue: queues[missionsQueue.name].qualifiedName };
  for (let from = 0; from < jobs.length; from += CHUNK) {
    await queues[queue].addBulk(
      jobs.slice(from, from + CHUNK).map(({ jobId, data }) => ({
        name: queueRegistry[queue].jobName,
        data,
        opts: { jobId, parent, ignoreDependencyOnFailure: true }, // else one failed child would leave the mission waiting for ever
      })),
    );
  }
}

/** How children stand, in order. A finding that is written counts, wherever its job is: the job may be cleared away. */
export async function readChildren(
  { redis, keys }: Db,
  queue: 'tasks' | 'archive',
  children: readonly ChildRef[],
): Promise<ChildState[]> {
  const states: ChildState[] = [];
  for (let from = 0; from < children.length; from += CHUNK) {
    const chain = redis.pipeline();
    for (const { jobId, findingId } of children.slice(from, from + CHUNK)) {
      // The job first: where it has ended well, its finding is there.
      chain.hmget(keys.queueKey(queue, jobId), 'timestamp', 'finishedOn', 'returnvalue', 'failedReason');
      chain.exists(keys.finding(findingId));
    }
    const replies = (await chain.exec()) ?? [];
    for (let at = 0; at < replies.length; at += 2) {
      const [[jobError, job] = [], [findingError, written] = []] = [replies[at], replies[at + 1]];
      if (jobError) throw jobError;
      if (findingError) throw findingError;
      states.push(toState(job as (string | null)[], written === 1));
    }
  }
  return states;
}

function toState(job: (string | null)[], written: boolean): ChildState {
  const [timestamp = null, finishedOn = null, returnValue = null, failedReason = null] = job;
  if (written) return { state: 'done' };
  if (timestamp === null) return { state: 'absent' };
  if (finishedOn === null) return { state: 'open' };
  if (returnValue === null) return { state: 'failed', reason: failedReason ?? 'unknown' };
  return { state: 'failed', reason: 'missing: its job is done, and its finding is not there' };
}

/** The keys under which BullMQ notes which children a mission still waits for. */
export function toDependenciesKey(keys: Keys, missionId: string): string {
  return `${keys.queueKey(missionsQueue.name, missionId)}:dependencies`;
}

const PAGE = 500;

/**
 * Cancels what a cancelled mission still waits for, so that it ends too. What ends meanwhile needs no cancelling.
 * @returns how many were cancelled
 */
export async function cancelChildren(parts: ChildParts, missionId: string): Promise<number> {
  const { db, queues } = parts;
  const { redis, keys } = db;
  let cancelled = 0;
  let cursor = '0';
  do {
    const [next, children] = await redis.sscan(toDependenciesKey(keys, missionId), cursor, 'COUNT', PAGE);
    cursor = next;
    for (const key of children) {
      const [queue = tasksQueue.name, jobId = ''] = key.slice(keys.bullPrefix.length + 1).split(':');
      try {
        await cancelJobs(db, queues[queue as QueueName], [jobId]);
        cancelled += 1;
      } catch (error) {
        if (!(error instanceof UsageError)) throw error; // it has ended
      }
    }
  } while (cursor !== '0');
  return cancelled;
}

import type { Queue } from 'bullmq';
import { UsageError } from '../../errors.ts';
import { offerTasks, toOfferDelay } from '../../jobs/offer.ts';
import { cancelJobs } from '../../tasks/cancel.ts';
import { tasksQueue } from '../../../queues/tasks.ts';
import { missionsQueue } from '../../../queues/missions.ts';
import { queueRegistry, type QueueName } from '../../../queues/registry.ts';
import { readEnds, readWritten, type EndView } from '../../jobs/state/states.ts';
import type { Db } from '../../redis/db.ts';
import type { Keys } from '../../redis/keys.ts';

export interface ChildParts {
  db: Db;
  queues: Record<QueueName, Queue>;
}

/** One job that a mission waits for. */
export interface ChildRef {
  jobId: string;
  /** Key suffix of the finding that it will write. */
  findingId: string;
}

/** The state of a child. `absent`: neither its job nor its finding exists. */
export type ChildState = { state: 'absent' | 'open' | 'done' } | { state: 'failed'; reason: string };

/** Jobs of one `addBulk`, which takes Redis a few milliseconds. */
const CHUNK = 500;

/**
 * Adds jobs to a queue as children of a mission's job. An existing job keeps its data and becomes a child again. Never
 * pass a job that has failed: BullMQ would not report its end to the mission a second time.
 */
export async function addChildren(
  { db, queues }: ChildParts,
  missionId: string,
  queue: 'tasks' | 'archive',
  jobs: readonly { jobId: string; data: object }[],
): Promise<void> {
  const parent = { id: missionId, queue: queues[missionsQueue.name].qualifiedName };
  for (let from = 0; from < jobs.length; from += CHUNK) {
    const chunk = jobs.slice(from, from + CHUNK);
    const tasks = queue === 'tasks' ? chunk : [];
    await offerTasks(
      db,
      tasks.map(({ jobId, data }) => ({ id: jobId, data })),
    );
    await queues[queue].addBulk(
      chunk.map(({ jobId, data }) => ({
        name: queueRegistry[queue].jobName,
        data,
        opts: { jobId, parent, ignoreDependencyOnFailure: true, ...(queue === 'tasks' ? toOfferDelay(data) : {}) }, // else one failed child would leave the mission waiting for ever
      })),
    );
  }
}

/** Reads the state of children, in order. A child with a finding is done, even if its job was removed from the queue. */
export async function readChildren(
  db: Db,
  queue: 'tasks' | 'archive',
  children: readonly ChildRef[],
): Promise<ChildState[]> {
  // The jobs first: a job that has completed has its finding.
  const ends = await readEnds(
    db,
    queue,
    children.map(({ jobId }) => jobId),
  );
  const written = await readWritten(
    db,
    children.map(({ findingId }) => findingId),
  );
  return children.map((_, i) => toState(ends[i], written[i] === true));
}

function toState(end: EndView = { state: 'unknown' }, written: boolean): ChildState {
  if (written) return { state: 'done' };
  switch (end.state) {
    case 'unknown':
      return { state: 'absent' };
    case 'completed':
      return { state: 'failed', reason: 'missing: its job is done, and its finding is not there' };
    case 'open':
    case 'failed':
      return end;
  }
}

/** BullMQ's set of the children that a mission still waits for, as full job keys. */
export function toDependenciesKey(keys: Keys, missionId: string): string {
  return `${keys.queueKey(missionsQueue.name, missionId)}:dependencies`;
}

const PAGE = 500;

/**
 * Cancels the children that a cancelled mission still waits for, so that the mission ends too.
 * @returns how many were cancelled; a child that ends meanwhile is not counted
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
        if (!(error instanceof UsageError)) throw error; // the child has ended
      }
    }
  } while (cursor !== '0');
  return cancelled;
}

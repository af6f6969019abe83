import type { Queue } from 'bullmq';
import { queueRegistry, type QueueName } from '../../../queues/registry.ts';
import { readBlockedParents } from '../../jobs/state/blocked-parents.ts';
import type { Db } from '../../redis/db.ts';
import { assertBatch } from '../batch/progress.ts';
import { eachFailedJob, groupFailedJobs } from './failed.ts';
import type { FailedFilter, FailedKind } from './types.ts';

/**
 * Groups what has failed in all queues by kind and reason: tasks, questions and missions, then what waits for ever.
 * @throws NotFoundError where no batch has this name
 */
export async function listFailed(
  { db, queues }: { db: Db; queues: Record<QueueName, Queue> },
  filter: FailedFilter = {},
): Promise<FailedKind[]> {
  const { batch, ...own } = filter;
  if (batch !== undefined) await assertBatch(db, batch);
  const tasks = await groupFailedJobs(eachFailedJob(db, queues.tasks, filter), batch === undefined ? {} : { batch });
  const ofTasks = tasks.map((group): FailedKind => ({ kind: 'task', ...group }));
  if (batch !== undefined) return ofTasks; // questions and missions belong to no batch
  const questions = await groupFailedJobs(eachFailedJob(db, queues.archive, own));
  const missions = await groupFailedJobs(eachFailedJob(db, queues.missions, own), { isMission: true });
  return [
    ...ofTasks,
    ...questions.map((group): FailedKind => ({ kind: 'question', ...group })),
    ...missions.map((group): FailedKind => ({ kind: 'mission', ...group })),
    ...(own.reason === undefined || own.reason === 'blocked' ? await groupBlocked(db) : []),
  ];
}

/** The jobs that wait for ever, because a child of another program's flow has failed. They are not failed, and never run. */
async function groupBlocked(db: Db): Promise<FailedKind[]> {
  const names = Object.keys(queueRegistry) as QueueName[];
  const parents = (await Promise.all(names.map((name) => readBlockedParents(db, name)))).flat();
  if (parents.length === 0) return [];
  const examples = parents.slice(0, 3).map(({ id, child, why }) => ({
    id,
    reason: 'blocked',
    text: `its child ${child} ${why === null ? 'is gone' : `failed: ${why}`}`,
    description: '',
    batch: null,
    session: null,
    failedAt: db.clock.date().toISOString(),
  }));
  const repair = 'retry the child where it failed; the parent runs when all its children are done';
  return [{ kind: 'job', reason: 'blocked', count: parents.length, examples, repair }];
}

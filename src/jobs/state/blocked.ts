import type { QueueName } from '../../../queues/registry.ts';
import type { Halt } from '../../halt/types.ts';
import { readHalt } from '../../halt/halt.ts';
import { readAwaitedBudget } from '../../ledger/budget.ts';
import type { Db } from '../../redis/db.ts';
import { isAnyoneUp } from '../../swarm/presence.ts';
import type { ProcessKind } from '../../swarm/types.ts';
import { describeParked, parseMark } from '../outcomes/parked.ts';
import type { JobState } from './types.ts';

/** Why an open job does not run, and what a person is shown. */
export type Blocker =
  /** The whole fleet waits for a person. */
  | { kind: 'halted'; halt: Halt }
  /** The mission waits until a person runs its plan. */
  | { kind: 'planned' }
  /** The mission waits for a person's choice. */
  | { kind: 'asks'; problem: string }
  /** A person parked the mission. `waitsFor` goes after "parked for its". */
  | { kind: 'parked'; waitsFor: string }
  /** Parked until a budget of its own is raised. `waitsFor` goes after "parked for its". */
  | { kind: 'waits-for-budget'; waitsFor: string }
  /** Delayed for a provider, a shard, or money that calls under way have reserved. `why`: last line of the job's log. */
  | { kind: 'waits-for-provider'; why: string }
  /** Only outside workers may do it, or they are first: it waits for one. */
  | { kind: 'offered' }
  /** No process that takes the queue's jobs is up. */
  | { kind: 'no-worker'; process: ProcessKind };

const WORKED_BY: Record<QueueName, ProcessKind> = { tasks: 'haiku', archive: 'librarian', missions: 'coordinator' };

/**
 * Reads why a job does not run. All who wait for a job use this order: what stops the whole fleet, then what a person
 * decides, then the job's budgets, then providers, then whether a process is up that takes it. A job that runs is not blocked: its call ends and is stored.
 * @param job.state as `readJob` found it
 * @returns null if it runs, has ended, or waits for its turn or its children
 */
export async function readBlocker(
  db: Db,
  { queue, id, state }: { queue: QueueName; id: string; state: JobState },
): Promise<Blocker | null> {
  if (state === 'completed' || state === 'failed' || state === 'unknown') return null;
  const { redis, keys } = db;
  const isDelayed = state === 'delayed';
  const [halt, mark, record] = await Promise.all([
    readHalt(db),
    isDelayed ? redis.hget(keys.parked, id) : null,
    queue === 'missions' ? redis.hmget(keys.mission(id), 'state', 'problem') : [],
  ]);
  const [mission, problem] = record;
  const waitsForPerson = mission === 'asks' || mission === 'parked' || mission === 'planned';
  if (state === 'active' && !waitsForPerson) return null;
  if (halt !== null) return { kind: 'halted', halt };
  if (mission === 'planned') return { kind: 'planned' };
  if (mission === 'asks') return { kind: 'asks', problem: problem ?? '' };
  const scope = mission === 'parked' ? { scope: 'parked-mission', name: id } : mark === null ? null : parseMark(mark);
  if (scope !== null) {
    if (scope.scope === 'parked-mission') return { kind: 'parked', waitsFor: describeParked(scope) };
    const budget = await readAwaitedBudget(db, scope.scope ?? '', scope.name ?? '');
    return { kind: 'waits-for-budget', waitsFor: describeParked(scope, budget) };
  }
  if (state === 'waiting' || state === 'prioritized') {
    const process = WORKED_BY[queue];
    return (await isAnyoneUp(db, process)) ? null : { kind: 'no-worker', process };
  }
  if (!isDelayed) return null;
  if (queue === 'tasks' && (await redis.zscore(keys.offered, id)) !== null) return { kind: 'offered' };
  const [why = ''] = await redis.lrange(`${keys.queueKey(queue, id)}:logs`, -1, -1);
  return { kind: 'waits-for-provider', why };
}

import type { Queue } from 'bullmq';
import type { QueueName } from '../../../queues/registry.ts';
import { describeMissingMission } from '../mission/missing.ts';
import { readMissionFields } from '../mission/record.ts';
import { toShownState, type ShownState } from '../mission/shown-state.ts';
import type { MissionState } from '../mission/types.ts';
import { NotFoundError } from '../../errors.ts';
import type { Halt } from '../../halt/types.ts';
import type { Db } from '../../redis/db.ts';

export interface FoundMission {
  /** The state of its record. `queued`: it has a job and no record. */
  state: ShownState | 'queued';
  /** A person set it aside: no call of the mission and of its children begins. */
  parked: boolean;
}

/** Reads what parking and resuming need to know of a mission. @throws NotFoundError if there is no mission of this id */
export async function findMission(
  parts: { db: Db; queues: Record<QueueName, Queue> },
  id: string,
): Promise<FoundMission> {
  const { db, queues } = parts;
  const { redis, keys } = db;
  const [[state = null, problem = null], parked, job] = await Promise.all([
    readMissionFields(db, id, 'state', 'problem'),
    redis.hexists(keys.spend(`mission:${id}`), 'parked'),
    queues.missions.getJob(id),
  ]);
  if (state !== null) {
    return { state: toShownState({ state: state as MissionState, problem: problem ?? '' }), parked: parked === 1 };
  }
  if (job !== undefined) return { state: 'queued', parked: parked === 1 };
  throw new NotFoundError(await describeMissingMission(db, id));
}

/** Whether this mission caused the halt. A halt without `mission` may still name the id in its step or detail. */
export function isCausedBy(halt: Halt | null, id: string): boolean {
  if (halt === null) return false;
  if (halt.mission !== undefined) return halt.mission === id;
  return halt.reason !== 'person' && `${halt.step} ${halt.detail}`.split(/[^A-Za-z0-9._-]+/).includes(id);
}

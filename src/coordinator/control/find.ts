import type { Queue } from 'bullmq';
import type { QueueName } from '../../../queues/registry.ts';
import type { MissionState } from '../mission/types.ts';
import { NotFoundError } from '../../errors.ts';
import type { Halt } from '../../halt/halt-shape.ts';
import type { Db } from '../../redis/db.ts';

export interface FoundMission {
  /** As its record says; `queued`: no coordinator has begun it. */
  state: MissionState | 'queued';
  /** A person set it aside: no call of its whole tree is made. */
  parked: boolean;
}

/** Where a mission stands, as far as a person may stop it or let it go on. @throws NotFoundError where there is none of this id */
export async function findMission(
  parts: { db: Db; queues: Record<QueueName, Queue> },
  id: string,
): Promise<FoundMission> {
  const { queues } = parts;
  const { redis, keys } = parts.db;
  const [state, parked, job] = await Promise.all([
    redis.hget(keys.mission(id), 'state'),
    redis.hexists(keys.spend(`mission:${id}`), 'parked'),
    queues.missions.getJob(id),
  ]);
  if (state !== null) return { state: state as MissionState, parked: parked === 1 };
  if (job !== undefined) return { state: 'queued', parked: parked === 1 };
  const newest = await redis.zrevrange(keys.missions, 0, 4);
  const known = newest.length === 0 ? 'there is none yet' : `the newest are ${newest.join(', ')}`;
  throw new NotFoundError(`mission ${JSON.stringify(id)}: there is none of this id; ${known}`);
}

/** Whether this mission stopped the fleet. A program that states no `mission` may still name it in its words. */
export function isCausedBy(halt: Halt | null, id: string): boolean {
  if (halt === null) return false;
  if (halt.mission !== undefined) return halt.mission === id;
  return halt.reason !== 'person' && `${halt.step} ${halt.detail}`.split(/[^A-Za-z0-9._-]+/).includes(id);
}

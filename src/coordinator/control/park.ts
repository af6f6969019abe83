import type { Queue } from 'bullmq';
import type { QueueName } from '../../../queues/registry.ts';
import { storePaperDecision, isPaper } from '../paper/decisions.ts';
import { UsageError } from '../../errors.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { markParked } from '../mission/record.ts';
import { findMission, isCausedBy } from './find.ts';
import type { HaltSwitch } from '../../halt/halt.ts';
import type { Db } from '../../redis/db.ts';

export interface MissionStopParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  halt: HaltSwitch;
  notifier?: Notifier;
}

export interface ParkedMission {
  /** It was parked before. This call did what a crash had left undone. */
  again: boolean;
  /** Text for the person: what becomes of a paper's drafts; null: the mission writes no paper. */
  said: string | null;
  /** This mission had caused a halt, and this call lifted it. */
  liftedHalt: boolean;
}

/**
 * Sets a mission aside with its children: no call of them begins from now on, calls under way end and are stored, and a
 * worker that takes one of their jobs parks it before it costs anything. Everything else runs, and a halt that this
 * mission caused is lifted. Nothing is removed: `resumeMission` continues the mission where it was.
 * @param by the person's name
 * @throws NotFoundError, UsageError for a mission that has ended
 */
export async function parkMission(parts: MissionStopParts, id: string, by: string): Promise<ParkedMission> {
  const { db, queues, halt } = parts;
  const { redis, keys } = db;
  const found = await findMission(parts, id);
  if (found.state === 'done' || found.state === 'failed') {
    throw new UsageError(`mission ${id}: is ${found.state}; there is nothing to park`);
  }
  const said = (await isPaper(db, id)) ? (await storePaperDecision(db, id, 'park')).said : null;
  const parkedAt = new Date().toISOString();
  await markParked(db, id, found.state, parkedAt);
  if (!found.parked) {
    await redis.hincrby(keys.counters, 'missions_parked', 1);
    await (await queues.missions.getJob(id))?.log(`${parkedAt} parked by ${by}`);
    parts.notifier?.notify(`parked:${id}:${parkedAt}`, { event: 'mission-parked', mission: id, by });
  }
  const liftedHalt = isCausedBy(await halt.read(), id);
  if (liftedHalt) await halt.resume(by);
  return { again: found.parked, said, liftedHalt };
}

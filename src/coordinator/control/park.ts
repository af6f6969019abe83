import type { Queue } from 'bullmq';
import type { QueueName } from '../../../queues/registry.ts';
import { storePaperDecision, isPaper } from '../paper/decisions.ts';
import { UsageError } from '../../errors.ts';
import type { Notifier } from '../../swarm/notify.ts';
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
  /** It was parked before; whatever was left undone then is done now. */
  again: boolean;
  /** For the person: what becomes of the drafts of a paper; null where it writes none. */
  said: string | null;
  /** The halt that this mission caused is lifted. */
  liftedHalt: boolean;
}

/**
 * Sets a mission aside with all that belongs to it: from here on no call of its tree is begun, calls under way end and are
 * stored, and each of its jobs that a worker takes is parked before it costs anything. Everything else goes on, also from a
 * halt that this mission caused. Nothing is removed: `resumeMission` lets it go on where it stood.
 * @param by who does it
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
  const at = new Date().toISOString();
  // One step: the mark stops the calls, the state tells why. What it was before, resuming must know.
  const chain = redis
    .multi()
    .hset(keys.spend(`mission:${id}`), 'parked', at)
    .hset(keys.mission(id), 'state', 'parked', 'updatedAt', at);
  if (found.state !== 'parked') chain.hset(keys.mission(id), 'parked_from', found.state);
  await chain.exec();
  if (!found.parked) {
    await redis.hincrby(keys.counters, 'missions_parked', 1);
    await (await queues.missions.getJob(id))?.log(`${at} parked by ${by}`);
    parts.notifier?.notify(`parked:${id}:${at}`, { event: 'mission-parked', mission: id, by });
  }
  const liftedHalt = isCausedBy(await halt.read(), id);
  if (liftedHalt) await halt.resume(by);
  return { again: found.parked, said, liftedHalt };
}

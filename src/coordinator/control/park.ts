import type { Queue } from 'bullmq';
import { noteChange } from '../../audit/note-change.ts';
import type { QueueName } from '../../../queues/registry.ts';
import { storePaperDecision, isPaper } from '../paper/decisions.ts';
import { UsageError } from '../../errors.ts';
import type { Notifier } from '../../swarm/notify.ts';
import type { ParkedMission } from '../mission/review-types.ts';
import { markParked } from '../mission/record.ts';
import { findMission, isCausedBy } from './find.ts';
import type { HaltSwitch } from '../../halt/halt.ts';
import type { Db } from '../../redis/db.ts';
import { noteActivity } from '../../swarm/activity.ts';
import { countEvent } from '../../swarm/count-event.ts';

export interface MissionStopParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  halt: HaltSwitch;
  notifier?: Notifier;
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
  const found = await findMission(parts, id);
  if (found.state === 'done' || found.state === 'failed' || found.state === 'cancelled') {
    throw new UsageError(`mission ${id}: is ${found.state}; there is nothing to park`);
  }
  const said = (await isPaper(db, id)) ? (await storePaperDecision(db, id, 'park')).said : null;
  const parkedAt = db.clock.date().toISOString();
  await markParked(db, id, found.state, parkedAt);
  if (!found.parked) {
    await countEvent(db, 'missions_parked');
    await noteChange(db, {
      what: 'park',
      about: { mission: id },
      before: { state: found.state },
      after: { state: 'parked' },
    });
    await noteActivity(db, { what: 'parked', id, text: 'the mission, by a person', mission: id, worker: by });
    await (await queues.missions.getJob(id))?.log(`${parkedAt} parked by ${by}`);
    parts.notifier?.notify(`parked:${id}:${parkedAt}`, { event: 'mission-parked', mission: id, by });
  }
  const liftedHalt = isCausedBy(await halt.read(), id);
  if (liftedHalt) await halt.resume(by);
  return { again: found.parked, said, liftedHalt };
}

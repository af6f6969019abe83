import { missionsQueue } from '../../../queues/missions.ts';
import type { Logger } from '../../process/logger.ts';
import { toDependenciesKey, type ChildParts } from '../mission/children.ts';
import { countEvent } from '../../swarm/count-event.ts';

/** Children of one call of the script. */
const CHUNK = 500;

/**
 * Removes from a mission's open children those that have ended or were removed without a report of BullMQ to the mission,
 * and starts the mission again if none is left. That happens to a job that becomes a child again at the instant at which it
 * fails, and to one that a person removes.
 * @returns whether the mission was woken
 */
export async function wakeMission(parts: ChildParts & { log: Logger; now(): Date }, id: string): Promise<boolean> {
  const { queues, log, now } = parts;
  const { redis, keys, scripts } = parts.db;
  const ofQueue = (part: string): string => keys.queueKey(missionsQueue.name, part);
  const own = {
    dependencies: toDependenciesKey(keys, id),
    waitingChildren: ofQueue('waiting-children'),
    wait: ofQueue('wait'),
    meta: ofQueue('meta'),
    marker: ofQueue('marker'),
    events: ofQueue('events'),
    job: ofQueue(id),
  };
  let untied = 0;
  let woken = false;
  let cursor = '0';
  do {
    const [next, found] = await redis.sscan(own.dependencies, cursor, 'COUNT', CHUNK);
    cursor = next;
    do {
      const children = found.splice(0, CHUNK); // may be empty: the script also wakes a mission without open children
      const [untiedNow = 0, isWoken] = await scripts['wake-mission']({ ...own, children }, [id]);
      untied += untiedNow;
      woken ||= isWoken === 1;
    } while (found.length > 0);
  } while (cursor !== '0' && !woken);
  if (untied === 0 && !woken) return false;
  await countEvent(parts.db, 'missions_mended');
  const line = `${untied} of its children had ended without telling it${woken ? '; it goes on' : ''}`;
  await (await queues.missions.getJob(id))?.log(`${now().toISOString()} ${line}`);
  log.warn({ mission: id, untied, woken }, 'a mission waited for children that had ended');
  return woken;
}

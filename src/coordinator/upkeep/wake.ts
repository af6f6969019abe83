import { missionsQueue } from '../../../queues/missions.ts';
import type { Logger } from '../../process/logger.ts';
import { toDependenciesKey, type ChildParts } from '../mission/children.ts';

/** Children looked at in one step. */
const CHUNK = 500;

/**
 * Unties from a waiting mission the children that have ended, or are gone, without BullMQ telling it, and wakes it where
 * none is left. A job that is tied anew in the very moment it fails is such a child, and one that a person removes.
 * @returns whether the mission was woken
 */
export async function wakeMission(parts: ChildParts & { log: Logger; now(): Date }, id: string): Promise<boolean> {
  const { queues, log, now } = parts;
  const { redis, keys, scripts } = parts.db;
  const own = [
    toDependenciesKey(keys, id),
    ...['waiting-children', 'wait', 'meta', 'marker', 'events'].map((part) => keys.queueKey(missionsQueue.name, part)),
    keys.queueKey(missionsQueue.name, id),
  ];
  let untied = 0;
  let woken = false;
  let cursor = '0';
  do {
    const [next, found] = await redis.sscan(toDependenciesKey(keys, id), cursor, 'COUNT', CHUNK);
    cursor = next;
    for (let from = 0; from === 0 || from < found.length; from += CHUNK) {
      const answer = (await scripts['wake-mission']([...own, ...found.slice(from, from + CHUNK)], [id])) as number[];
      untied += answer[0] ?? 0;
      woken ||= answer[1] === 1;
    }
  } while (cursor !== '0' && !woken);
  if (untied === 0 && !woken) return false;
  await redis.hincrby(keys.counters, 'missions_mended', 1);
  const line = `${untied} of its children had ended without telling it${woken ? '; it goes on' : ''}`;
  await (await queues.missions.getJob(id))?.log(`${now().toISOString()} ${line}`);
  log.warn({ mission: id, untied, woken }, 'a mission waited for children that had ended');
  return woken;
}

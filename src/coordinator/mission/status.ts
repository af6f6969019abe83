import type { Redis } from 'ioredis';
import { readBudget } from '../../ledger/budget.ts';
import type { Keys } from '../../redis/keys.ts';
import type { MissionStatus } from './handle-types.ts';
import type { MissionRecord } from './types.ts';
import { readMission, readMissionHead } from './record.ts';

/** @returns null where there is no mission of this id */
export async function readMissionStatus(redis: Redis, keys: Keys, id: string): Promise<MissionStatus | null> {
  const record = await readMission(redis, keys, id);
  return record === null ? null : toStatus(redis, keys, id, record);
}

/** Missions read at once. */
const PAGE = 50;

/** The newest missions, newest first, without their plans. @param session only those of this session; default all */
export async function listMissions(
  redis: Redis,
  keys: Keys,
  limit: number,
  session?: string,
): Promise<MissionStatus[]> {
  const found: MissionStatus[] = [];
  for (let from = 0; found.length < limit; from += PAGE) {
    const ids = await redis.zrevrange(keys.missions, from, from + PAGE - 1);
    if (ids.length === 0) break;
    const page = await Promise.all(
      ids.map(async (id) => {
        const record = await readMissionHead(redis, keys, id);
        if (record === null || (session !== undefined && record.session !== session)) return [];
        return [await toStatus(redis, keys, id, record)];
      }),
    );
    found.push(...page.flat());
  }
  return found.slice(0, limit);
}

async function toStatus(redis: Redis, keys: Keys, id: string, record: MissionRecord): Promise<MissionStatus> {
  const { nodes: _nodes, releases: _releases, round: _round, survey: _survey, ...shown } = record;
  return { id, ...shown, budget: await readBudget(redis, keys, { mission: id }, new Date()) };
}

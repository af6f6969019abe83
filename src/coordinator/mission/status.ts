import { readBudget } from '../../ledger/budget.ts';
import type { MissionStatus } from './handle-types.ts';
import type { MissionRecord } from './types.ts';
import { readMission, readMissionHead } from './record.ts';
import { toShownState } from './shown-state.ts';
import type { Db } from '../../redis/db.ts';

/** Reads one mission with its budget. @returns null if there is no mission of this id */
export async function readMissionStatus(db: Db, id: string): Promise<MissionStatus | null> {
  const record = await readMission(db, id);
  return record === null ? null : toStatus(db, id, record);
}

/** Missions of one read. */
const PAGE = 50;

/** Reads the newest missions, newest first, without their plans. @param session only missions of this session; default: all */
export async function listMissions(db: Db, limit: number, session?: string): Promise<MissionStatus[]> {
  const { redis, keys } = db;
  const found: MissionStatus[] = [];
  for (let from = 0; found.length < limit; from += PAGE) {
    const ids = await redis.zrevrange(keys.missions, from, from + PAGE - 1);
    if (ids.length === 0) break;
    const page = await Promise.all(
      ids.map(async (id) => {
        const record = await readMissionHead(db, id);
        if (record === null || (session !== undefined && record.session !== session)) return [];
        return [await toStatus(db, id, record)];
      }),
    );
    found.push(...page.flat());
  }
  return found.slice(0, limit);
}

async function toStatus(db: Db, id: string, record: MissionRecord): Promise<MissionStatus> {
  const { nodes: _nodes, releases: _releases, round: _round, survey: _survey, ...shown } = record;
  return { id, ...shown, state: toShownState(record), budget: await readBudget(db, { mission: id }) };
}

import { readMissionHead } from '../../coordinator/mission/record.ts';
import type { Db } from '../../redis/db.ts';
import { toOneLine } from '../../text/one-line.ts';
import type { MissionLine } from '../types.ts';
import { startOf } from '../../text/start-of.ts';

/** Missions that a status lists; the others are only counted. It bounds the size of a status. */
export const NEWEST_MISSIONS = 5;
/** Most UTF-16 code units of a goal. */
const FIRST_WORDS = 80;

/** Reads what a status shows of missions, in one round trip. @param ids newest first; one without a record is left out */
export async function readMissionLines(db: Db, ids: readonly string[]): Promise<MissionLine[]> {
  const { redis, keys } = db;
  const lines = await Promise.all(
    ids.map(async (id): Promise<MissionLine[]> => {
      const [head, settled] = await Promise.all([
        readMissionHead(db, id),
        redis.hget(keys.spend(`mission:${id}`), 'settled'),
      ]);
      if (head === null) return [];
      const { session, state, step, counts, problem, createdAt, finding } = head;
      const { total, done, failed, skipped } = counts;
      return [
        {
          id,
          goal: toFirstWords(head.goal),
          session,
          state: state === 'running' && step === 'wait' ? 'waiting' : state,
          step,
          tasks: { total, done, failed, skipped },
          problem,
          createdAt,
          finding,
          costNanoUsd: Number(settled ?? 0),
        },
      ];
    }),
  );
  return lines.flat();
}

function toFirstWords(goal: string): string {
  const line = toOneLine(goal, Infinity);
  if (line.length <= FIRST_WORDS) return line;
  const cut = startOf(line, FIRST_WORDS);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), FIRST_WORDS / 2)).trimEnd()} …`;
}

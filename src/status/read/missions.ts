import { readMissionHead } from '../../coordinator/mission/record.ts';
import type { Db } from '../../redis/db.ts';
import type { MissionLine } from '../types.ts';

/** Newest missions that a status shows; the others are counted by their queue. Keeps the read bounded. */
export const NEWEST_MISSIONS = 5;
/** Of a goal, UTF-16 code units. */
const FIRST_WORDS = 80;

/** Reads what a status shows of some missions, in one round trip. @param ids newest first; one without a record is left out */
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
  const line = goal.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  if (line.length <= FIRST_WORDS) return line;
  const cut = line.slice(0, FIRST_WORDS);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), FIRST_WORDS / 2)).trimEnd()} …`;
}

import { readMissionHead } from '../../coordinator/mission/record.ts';
import { describeState, isPlanned, toShownState } from '../../coordinator/mission/shown-state.ts';
import type { Db } from '../../redis/db.ts';
import { toOneLine } from '../../text/one-line.ts';
import type { MissionLine } from '../types.ts';
import { startOf } from '../../text/start-of.ts';
import { toStoredCount } from '../../redis/stored-record.ts';

/** Missions that a status lists; the others are only counted. It bounds the size of a status. */
export const NEWEST_MISSIONS = 5;
/** Delayed missions that are looked at for a question to a person. */
export const MOST_SET_ASIDE = 20;
/** Most UTF-16 code units of a goal. */
const FIRST_WORDS = 80;

/**
 * Reads what a status shows of missions, in one round trip: the newest, and older ones that ask or wait for approval.
 * @param newest ids, newest first; one without a record is left out
 * @param setAside ids of missions whose jobs are delayed
 */
export async function readMissionLines(
  db: Db,
  newest: readonly string[],
  setAside: readonly string[] = [],
): Promise<MissionLine[]> {
  const older = setAside.filter((id) => !newest.includes(id));
  const [lines, olderLines] = await Promise.all([readLines(db, newest), readLines(db, older)]);
  const waiting = olderLines.filter(({ state }) => state === 'asks' || state === 'planned');
  return [...lines, ...waiting.toSorted((a, b) => (b.createdAt ?? '').localeCompare(a.createdAt ?? ''))];
}

async function readLines(db: Db, ids: readonly string[]): Promise<MissionLine[]> {
  const { redis, keys } = db;
  const lines = await Promise.all(
    ids.map(async (id): Promise<MissionLine[]> => {
      const [head, [settled, freeLocal]] = await Promise.all([
        readMissionHead(db, id),
        redis.hmget(keys.spend(`mission:${id}`), 'settled', 'free_local'),
      ]);
      if (head === null) return [];
      const { session, state, step, counts, problem, createdAt, finding } = head;
      const { total, done, failed, cancelled, skipped } = counts;
      const shown = { ...head, state: toShownState(head) };
      const isWaiting = state === 'running' && step === 'wait';
      return [
        {
          id,
          goal: toFirstWords(head.goal),
          session,
          state: isWaiting ? 'waiting' : shown.state,
          words: isWaiting ? 'waiting' : describeState(shown),
          isPlanned: isPlanned(shown),
          step,
          tasks: { total, done, failed, cancelled, skipped },
          problem,
          createdAt,
          finding,
          costNanoUsd: toStoredCount(settled),
          ...(toStoredCount(freeLocal) > 0 && { freeLocal: toStoredCount(freeLocal) }),
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

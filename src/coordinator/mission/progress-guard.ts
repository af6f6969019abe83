import type { HaltSwitch } from '../../halt/halt.ts';
import type { Db } from '../../redis/db.ts';

/** So many rounds without a finding are no bad luck: the mission spends and learns nothing. */
const HALT_AFTER = 3;

export interface RoundParts {
  db: Db;
  halt: Pick<HaltSwitch, 'halt'>;
  workerId: string;
}

/**
 * Counts a round of a mission: it waited for its tasks and has come back. Three in a row that brought no new
 * finding halt the fleet.
 * @param round.newFindings how many came since the round before
 * @param round.ended how many of its tasks have ended by now, done or failed: a mission that a crash brings back counts
 *   no round until one more has
 * @returns whether this round halted
 */
export async function noteRound(
  parts: RoundParts,
  round: { missionId: string; newFindings: number; ended: number },
): Promise<boolean> {
  const { redis, keys } = parts.db;
  const { missionId, newFindings, ended } = round;
  const record = keys.mission(missionId);
  const [counted, idle] = await redis.hmget(record, 'round_ended', 'idle_rounds');
  if (newFindings === 0 && counted === String(ended)) return false;
  const idleRounds = newFindings > 0 ? 0 : Number(idle ?? 0) + 1;
  const halted = idleRounds >= HALT_AFTER && (await haltFor(parts, missionId, ended));
  // Whoever lifts the halt gives it three more.
  await redis.hset(record, 'round_ended', ended, 'idle_rounds', idleRounds >= HALT_AFTER ? 0 : idleRounds);
  return halted;
}

function haltFor(parts: RoundParts, missionId: string, ended: number): Promise<boolean> {
  return parts.halt.halt({
    reason: 'no-progress',
    step: `mission ${missionId} waits for its tasks`,
    by: parts.workerId,
    detail: `${HALT_AFTER} rounds of mission ${missionId} in a row brought no new finding; ${ended} of its tasks have ended`,
    mission: missionId,
  });
}

import type { HaltSwitch } from '../../halt/halt.ts';
import type { Db } from '../../redis/db.ts';
import { readMissionFields, writeMissionFields } from './record.ts';
import { toStoredCount } from '../../redis/stored-record.ts';

/** After this many rounds in a row without a new finding the fleet halts: the mission spends money and learns nothing. */
const HALT_AFTER = 3;

export interface RoundParts {
  db: Db;
  halt: Pick<HaltSwitch, 'halt'>;
  workerId: string;
}

/** Counts a round, given the totals of the mission's tasks. @returns whether this round halted the fleet */
export async function noteProgress(
  parts: RoundParts,
  { missionId, done, ended }: { missionId: string; done: number; ended: number },
): Promise<boolean> {
  const [before = null] = await readMissionFields(parts.db, missionId, 'round_done');
  await writeMissionFields(parts.db, missionId, { round_done: done });
  return noteRound(parts, { missionId, newFindings: done - toStoredCount(before), ended });
}

/**
 * Counts one round of a mission: it waited for its tasks and began again. Three rounds in a row without a new finding
 * halt the fleet.
 * @param round.newFindings how many findings are new since the round before
 * @param round.ended how many of the mission's tasks have ended, done or failed. A run after a crash counts no round until
 *   one more task has ended
 * @returns whether this round halted the fleet
 */
export async function noteRound(
  parts: RoundParts,
  round: { missionId: string; newFindings: number; ended: number },
): Promise<boolean> {
  const { missionId, newFindings, ended } = round;
  const [counted, idle] = await readMissionFields(parts.db, missionId, 'round_ended', 'idle_rounds');
  if (newFindings === 0 && counted === String(ended)) return false;
  const idleRounds = newFindings > 0 ? 0 : toStoredCount(idle) + 1;
  const halted = idleRounds >= HALT_AFTER && (await haltFor(parts, missionId, ended));
  // The count starts again at 0 once the fleet has halted, so that a lifted halt allows three more rounds.
  const next = idleRounds >= HALT_AFTER ? 0 : idleRounds;
  await writeMissionFields(parts.db, missionId, { round_ended: ended, idle_rounds: next });
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

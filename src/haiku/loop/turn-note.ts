import type { Booking, TurnNote } from '../../ledger/types.ts';
import { formatUsd, toUsdString } from '../../pricing/money.ts';
import { toTotalTokens } from '../../pricing/tokens.ts';
import type { Decision } from './interpret-reply.ts';

/** Returns the line for the task's log, and the task's progress, after a turn. */
export function toTurnNote(turn: {
  /** From 0. */
  turn: number;
  maxTurns: number;
  decision: Decision;
  /** Null: the reply was replayed. */
  booking: Booking | null;
  /** Of the task so far. */
  totalNanoUsd: number;
  workerId: string;
  repliedAt: Date;
  /** What else a person should know of the turn. */
  remarks: readonly string[];
}): TurnNote {
  const { decision, booking, maxTurns: of, remarks } = turn;
  const what = decision.kind === 'tools' ? decision.uses.map((use) => use.name).join(', ') : decision.kind;
  const cost =
    booking === null ? 'replayed' : `${formatUsd(booking.nanoUsd, 6)}, ${toTotalTokens(booking.usage)} tokens`;
  const number = turn.turn + 1;
  return {
    log: `${turn.repliedAt.toISOString()} turn ${number} of ${of}: ${what} (${[cost, turn.workerId, ...remarks].join(', ')})`,
    progress: { turn: number, of, costUsd: Number(toUsdString(turn.totalNanoUsd, 6)) },
  };
}

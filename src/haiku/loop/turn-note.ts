import type { Booking, TurnNote } from '../../ledger/types.ts';
import { formatCost } from '../../pricing/free-local.ts';
import { toUsdString } from '../../pricing/money.ts';
import { toTotalTokens } from '../../pricing/tokens.ts';
import type { Decision } from './interpret-reply.ts';

/** Returns the line for the task's log, and the task's progress, after a turn. */
export function toTurnNote(turn: {
  /** From 0. */
  turn: number;
  maxTurns: number;
  /** What the reply led to. */
  what: string;
  /** Null: the reply was replayed. */
  booking: Booking | null;
  /** Of the task so far. */
  totalNanoUsd: number;
  /** Whether the model costs nothing a token. */
  isLocal: boolean;
  workerId: string;
  repliedAt: Date;
  /** What else a person should know of the turn. */
  remarks: readonly string[];
}): TurnNote {
  const { what, booking, maxTurns: of, remarks } = turn;
  const cost =
    booking === null
      ? 'replayed'
      : `${formatCost(booking.nanoUsd, 6, turn.isLocal)}, ${toTotalTokens(booking.usage)} tokens`;
  const number = turn.turn + 1;
  return {
    log: `${turn.repliedAt.toISOString()} turn ${number} of ${of}: ${what} (${[cost, turn.workerId, ...remarks].join(', ')})`,
    progress: { turn: number, of, costUsd: Number(toUsdString(turn.totalNanoUsd, 6)) },
  };
}

/** Returns the line for the task's log after a turn whose tools failed: the line of its reply is stored before the tools run. */
export function toToolLine(turn: number, maxTurns: number, what: string, endedAt: Date): string {
  return `${endedAt.toISOString()} turn ${turn + 1} of ${maxTurns}: ${what}`;
}

/** A decision in a word or two. */
export function describeDecision(decision: Decision): string {
  switch (decision.kind) {
    case 'tools':
      return decision.uses.map((use) => use.name).join(', ');
    case 'final':
      return decision.isPartial ? 'partial result' : 'final';
    case 'empty':
      return 'empty, asked again';
    case 'repair':
    case 'fail':
      return decision.kind;
  }
}

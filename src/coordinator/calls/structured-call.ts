import { PaidCalls } from '../../ledger/calls/paid-calls.ts';
import type { JobTotals } from '../../ledger/types.ts';
import { Question, type KeptReply, type StructuredCallParts } from './question.ts';
import type { AskStructured } from './types.ts';

export interface StructuredCalls {
  ask: AskStructured;
  /** Cost of this job's calls in all its runs so far; known after the first `ask`. */
  totals(): JobTotals;
}

/**
 * Builds the paid calls of one run of one job. They run one after the other, because a job holds one reservation. The
 * delivery contract is that of `PaidCalls`.
 */
export function createStructuredCalls(parts: StructuredCallParts): StructuredCalls {
  const calls = new PaidCalls<KeptReply>(parts);
  let last: Promise<unknown> = Promise.resolve();
  return {
    ask(call) {
      const answer = last.then(() => new Question(parts, calls, call).ask());
      last = answer.catch(() => undefined);
      return answer;
    },
    totals: () => calls.totals,
  };
}

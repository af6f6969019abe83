import type { Usage } from '../../../queues/usage.ts';
import { FleetError, RateLimitedError } from '../../errors.ts';
import { LONGEST_WAIT_MS } from '../../pacing/model-pace.ts';
import type { PaceAsk, Permit } from '../../pacing/types.ts';
import type { CallBound } from '../../pricing/cost.ts';
import type { Send } from './long-call.ts';
import type { Turn } from '../types.ts';

type Made = { kind: 'done' } | { kind: 'reply'; reply: { usage: Usage } };

/** A job whose first turn is over, or that names its turns as missions do, has begun. */
export function toAsk(turn: Turn, model: string, bound: CallBound): PaceAsk {
  const { inputTokensBound: inputTokens, maxTokens: outputTokens } = bound;
  return { model, inputTokens, outputTokens, begun: turn !== 0 };
}

/**
 * Makes a call with a permit, and tells the pacer how it ended.
 * @param make makes it with the given `send`, or finds that it is not needed
 * @returns `refusal`: a limit refused the call, which waits in its slot and is then sent again
 * @throws what `make` throws
 */
export async function callWithPermit<Reply, M extends Made>(
  permit: Permit,
  send: Send<Reply>,
  make: (send: Send<Reply>) => Promise<M>,
): Promise<{ made: M } | { made: null; refusal: unknown }> {
  let isSent = false;
  try {
    const made = await make((onInput) => {
      isSent = true;
      return send(onInput);
    });
    if (isSent && made.kind === 'reply') permit.ended(made.reply.usage);
    else permit.giveBack();
    return { made };
  } catch (error) {
    if (!isSent) permit.giveBack();
    else if (mayAskAgain(permit, error)) return { made: null, refusal: error };
    throw error;
  }
}

/** Notes how a call ended that was sent. @returns whether it waits in its slot and is then sent again: a limit refused it */
function mayAskAgain(permit: Permit, error: unknown): boolean {
  if (!(error instanceof RateLimitedError)) {
    permit.failed(error instanceof FleetError && error.billed === 'no');
    return false;
  }
  permit.refused(error.retryAfterMs);
  return error.retryAfterMs <= LONGEST_WAIT_MS;
}

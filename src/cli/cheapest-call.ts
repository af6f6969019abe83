import type { Config } from '../config/environment.ts';
import type { StructuredCall } from '../coordinator/calls/types.ts';
import { MAX_REPLY_TOKENS } from '../haiku/interpret-reply.ts';
import { formatUsd } from '../pricing/money.ts';
import { worstCaseNanoUsd } from '../pricing/cost.ts';
import { findModel } from '../pricing/catalog.ts';

/**
 * A call is reserved at its worst case before it is made: what is left of a budget below that lets nothing through.
 * @param leftNanoUsd what the budget still allows, nano-dollars
 * @param call the call it must have room for; default a worker's
 * @returns what is wrong with it, for people; null where a call fits
 */
export function describeTooLittle(
  config: Config,
  leftNanoUsd: number,
  call: Pick<StructuredCall<unknown>, 'model' | 'maxTokens'> = {
    model: config.FLEET_HAIKU_MODEL,
    maxTokens: MAX_REPLY_TOKENS,
  },
): string | null {
  const model = findModel(call.model, new Date());
  const maxTokens = Math.min(model.maxOutputTokens, call.maxTokens ?? model.maxOutputTokens);
  const least = worstCaseNanoUsd(model, { inputTokensBound: 0, maxTokens }); // and the prompt comes on top
  if (leftNanoUsd > least) return null;
  return `less than one call of ${model.id} may cost (over ${formatUsd(least, 4)})`;
}

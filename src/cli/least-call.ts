import type { Config } from '../config.ts';
import { MAX_REPLY_TOKENS } from '../haiku/decide.ts';
import { formatUsd } from '../ledger/money.ts';
import { worstCaseNanoUsd } from '../ledger/prices.ts';
import { findModel } from '../models/catalog.ts';

/**
 * A call is reserved at its worst case before it is made: what is left of a budget below that lets nothing through.
 * @param leftNanoUsd what the budget still allows, nano-dollars
 * @returns what is wrong with it, for people; null where a call fits
 */
export function describeTooLittle(config: Config, leftNanoUsd: number): string | null {
  const model = findModel(config.FLEET_HAIKU_MODEL, new Date());
  const maxTokens = Math.min(model.maxOutputTokens, MAX_REPLY_TOKENS);
  const least = worstCaseNanoUsd(model, { inputTokensBound: 0, maxTokens }); // and the prompt comes on top
  if (leftNanoUsd > least) return null;
  return `less than one call of ${model.id} may cost (over ${formatUsd(least, 4)})`;
}

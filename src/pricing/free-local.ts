import { countOf } from '../text/plural.ts';
import { formatUsd } from './money.ts';

/** Said in place of a price where a model runs on a machine of the operator and costs nothing a token. */
export const FREE_LOCAL = 'free-local';
/** The same with what follows from it. */
export const FREE_LOCAL_RULE = `${FREE_LOCAL}: nothing a token, and no budget holds it`;

/** What one call, or one task, cost. @param isLocal whether a free local model did it */
export function formatCost(nanoUsd: number, decimals: 4 | 6, isLocal: boolean): string {
  return isLocal && nanoUsd === 0 ? FREE_LOCAL : formatUsd(nanoUsd, decimals);
}

/**
 * What many calls cost: `$0.0012`; `free-local` where nothing was paid; `$0.0012 and 3 calls free-local`.
 * @param freeLocal count of the calls of free local models; undefined: none
 */
export function formatSpent(nanoUsd: number, decimals: 4 | 6, freeLocal = 0): string {
  if (freeLocal === 0) return formatUsd(nanoUsd, decimals);
  if (nanoUsd === 0) return FREE_LOCAL;
  return `${formatUsd(nanoUsd, decimals)} and ${countOf(freeLocal, 'call')} ${FREE_LOCAL}`;
}

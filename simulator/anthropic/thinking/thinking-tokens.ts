import type { Effort } from '../../../queues/effort.ts';
import type { MessagesRequest } from '../../model/types.ts';
import type { ServedModel } from '../api/model-table.ts';

const LEAST = 50;
const MOST = 800;

/**
 * `low` to `medium` more than doubles the output; the steps above are assumed to double it, too.
 * https://platform.claude.com/docs/en/about-claude/models/migration-guide
 */
const SHARES: Record<Effort, number> = { low: 0.5, medium: 1, high: 2, xhigh: 3, max: 4 };

/**
 * Tokens that the model thinks before this reply: 50 to 800 at effort `medium`, the same for the same request. 0 for a model
 * that does not think, or whose thinking the request disables.
 */
export function countThinkingTokens(model: ServedModel, request: MessagesRequest, requestHash: string): number {
  if (!thinks(model, request)) return 0;
  const effort = request.output_config?.effort ?? model.thinking?.defaultEffort ?? 'medium';
  const drawn = LEAST + (Number.parseInt(requestHash.slice(0, 8), 16) % (MOST - LEAST + 1));
  return Math.round(drawn * SHARES[effort]);
}

/** Whether the model thinks before it answers this request. */
export function thinks(model: ServedModel, request: { thinking?: { type: string } | undefined }): boolean {
  return model.thinking !== null && request.thinking?.type !== 'disabled';
}

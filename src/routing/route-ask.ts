import type { TaskInput } from '../../queues/tasks.ts';
import type { ModelAbilities } from '../config/model-rows/types.ts';
import { toNanoUsd } from '../pricing/money.ts';
import { boundTokens } from '../pricing/token-bound.ts';
import type { RouteAsk } from './types.ts';

/**
 * Upper bound of the tokens that every worker's prompt has beside its task: the fleet's instructions, the definitions of all
 * tools, and what it sees of its workspace at the start. A unit test measures them.
 */
export const FIXED_PROMPT_TOKENS = 8_000;

/** @param contextBytes UTF-8 bytes of the memory contexts that are sent with the task */
export function toRouteAsk(
  task: Pick<
    TaskInput,
    'kind' | 'model' | 'description' | 'data' | 'schema' | 'effort' | 'budget' | 'budget_usd' | 'workspace'
  >,
  { contextBytes, vendors }: { contextBytes: number; vendors: readonly string[] | null },
): RouteAsk {
  return {
    kind: task.kind ?? 'other',
    model: task.model ?? null,
    promptTokens: toPromptTokens(task, contextBytes),
    needs: toNeeds(task),
    isCheap: task.budget === 'cheap',
    budgetNanoUsd: task.budget_usd === undefined ? null : toNanoUsd(task.budget_usd),
    vendors,
    workspace: task.workspace ?? null,
  };
}

/** About as many tokens as the first prompt of a task has; seldom fewer. Small files that come with it are counted as none. */
function toPromptTokens(
  { description, data, schema }: Pick<TaskInput, 'description' | 'data' | 'schema'>,
  contextBytes: number,
): number {
  const own = [description, data, schema].filter((part) => part !== undefined);
  const tokens = own.reduce((sum: number, part) => sum + estimateTokens(JSON.stringify(part)), 0);
  return FIXED_PROMPT_TOKENS + tokens + Math.ceil(contextBytes / BYTES_A_TOKEN);
}

/** A longer text is not read as a whole: a batch may bring thousands of them. */
const WHOLE_LENGTH = 30_000;
const SAMPLE_LENGTH = 10_000;

function estimateTokens(text: string): number {
  if (text.length <= WHOLE_LENGTH) return boundTokens(text).tokens;
  const middle = Math.floor((text.length - SAMPLE_LENGTH) / 2);
  const samples = [0, middle, text.length - SAMPLE_LENGTH].map((from) => text.slice(from, from + SAMPLE_LENGTH));
  const tokens = samples.reduce((sum, sample) => sum + boundTokens(sample).tokens, 0);
  return Math.ceil((tokens / (samples.length * SAMPLE_LENGTH)) * text.length);
}

/** As `boundTokens` counts ordinary text. */
const BYTES_A_TOKEN = 2.4;

/** A worker's tools are offered with every call. */
function toNeeds({ schema, effort }: Pick<TaskInput, 'schema' | 'effort'>): (keyof ModelAbilities)[] {
  return [
    'tools',
    ...(schema === undefined ? [] : (['schema'] as const)),
    ...(effort === undefined ? [] : (['thinking'] as const)),
  ];
}

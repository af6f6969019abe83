import { countOf, formatCount } from '../../text/plural.ts';
import { BETTER_NAME, DEFAULT_NAME } from './plan-models.ts';

/** Tasks of a plan by what it calls their model. */
export interface NameCounts {
  total: number;
  haiku: number;
  sonnet: number;
  /** By the id of each other model, in the plan's order. */
  others: Record<string, number>;
}

/** @param nodes of an expanded plan */
export function countByName(nodes: readonly { model: string }[]): NameCounts {
  const counts: NameCounts = { total: nodes.length, haiku: 0, sonnet: 0, others: {} };
  for (const { model } of nodes) {
    if (model === DEFAULT_NAME || model === BETTER_NAME) counts[model] += 1;
    else counts.others[model] = (counts.others[model] ?? 0) + 1;
  }
  return counts;
}

/** `15 tasks, 12 of them to Haiku, 1 to Sonnet, 2 to qwen3-local`. */
export function describeNames({ total, haiku, sonnet, others }: NameCounts): string {
  const rest = Object.entries(others).map(([id, tasks]) => `, ${formatCount(tasks)} to ${id}`);
  return `${countOf(total, 'task')}, ${formatCount(haiku)} of them to Haiku, ${formatCount(sonnet)} to Sonnet${rest.join('')}`;
}

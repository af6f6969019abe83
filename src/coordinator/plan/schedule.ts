import type { PlanNode } from './plan.ts';

/** How a plan's tasks go through a number of slots where each takes equally long. */
export interface Schedule {
  /** Times as long as one task takes: with 3 the last task ends after three of them, or sooner. */
  rounds: number;
  /** The longest chain of tasks that wait for each other. */
  longestChain: number;
}

/** @param nodes numbered after those they depend on (`toNodes`) @param slots tasks that run at once, at least 1 */
export function toSchedule(nodes: readonly Pick<PlanNode, 'n' | 'dependsOn'>[], slots: number): Schedule {
  const levelOf = new Map<number, number>();
  const counts: number[] = []; // tasks of each level: those with nothing to wait for, those that wait for them …
  for (const { n, dependsOn } of nodes) {
    const level = dependsOn.reduce((most, other) => Math.max(most, (levelOf.get(other) ?? 0) + 1), 0);
    levelOf.set(n, level);
    counts[level] = (counts[level] ?? 0) + 1;
  }
  const rounds = counts.reduce((sum, count) => sum + Math.ceil(count / Math.max(1, slots)), 0);
  return { rounds, longestChain: counts.length };
}

import type { Hold } from './timer.ts';
import type { Quota } from './quota.ts';
import type { ShardProject } from './shard-project.ts';

/** A call of this process that still has its place in a window. */
export interface Start {
  id: string;
  /** performance.now() */
  at: number;
  tokens: number;
  shard: number;
  hold: Hold;
}

/** What this process knows of the last window, in case Redis forgets it. */
export interface OwnStarts {
  of(project: ShardProject): Set<Start>;
  restore(quota: Quota): Promise<void>;
  /** Ends every hold: the books keep the starts. */
  endAll(): void;
}

export function createOwnStarts(projects: readonly ShardProject[]): OwnStarts {
  const starts = new Map(projects.map((project) => [project, new Set<Start>()]));
  return {
    of: (project) => starts.get(project) ?? new Set(),
    async restore(quota) {
      const now = performance.now();
      for (const [project, own] of starts) {
        const rows = [...own].map((start) => ({ ...start, ageMs: now - start.at }));
        if (rows.length > 0) await quota.restore(project, rows);
      }
    },
    endAll() {
      for (const own of starts.values()) for (const { hold } of own) hold.end();
    },
  };
}

import type { ProjectView } from './quota.ts';
import type { WaitReason } from './types.ts';
import type { ShardProject } from './shard-project.ts';

/** Until when, as far as this process knows, asking for a project's places is in vain. */
export interface Closings {
  close(project: ShardProject, reason: WaitReason, ms: number): void;
  /** What a look at the books has found. A full window closes nothing: its places come free one by one. */
  learn(project: ShardProject, view: ProjectView): void;
  /** The reason may be gone: the next to ask will learn. */
  forget(project: ShardProject, reason: WaitReason): void;
  leftMs(project: ShardProject): number;
  /** How long until any of the projects opens; 0: one is open, or full for now. */
  soonest(projects: readonly ShardProject[]): { leftMs: number; reason: WaitReason };
}

/** Reasons that concern a shard's key alone, not its project. */
export function isOfKey(reason: string): reason is 'failing' | 'refused' | 'excluded' {
  return reason === 'failing' || reason === 'refused' || reason === 'excluded';
}

export function createClosings(): Closings {
  const closings = new Map<string, { until: number; reason: WaitReason }>(); // by performance.now()
  const leftMs = ({ id }: ShardProject): number => Math.max(0, (closings.get(id)?.until ?? 0) - performance.now());

  function close({ id }: ShardProject, reason: WaitReason, ms: number): void {
    closings.set(id, { until: performance.now() + ms, reason });
  }

  return {
    close,
    learn(project, { reason, delayMs }) {
      if (reason === 'too-large' || isOfKey(reason)) return; // says nothing about other queries
      if (reason === '' || reason === 'minute') closings.delete(project.id);
      else close(project, reason, delayMs);
    },
    forget({ id }, reason) {
      if (closings.get(id)?.reason === reason) closings.delete(id);
    },
    leftMs,
    soonest(projects) {
      const [first = { leftMs: 0, reason: 'minute' }] = projects
        .map((project) => ({ leftMs: leftMs(project), reason: closings.get(project.id)?.reason ?? 'minute' }))
        .sort((a, b) => a.leftMs - b.leftMs);
      return first;
    },
  };
}

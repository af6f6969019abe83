import type { PlanningPrompt } from './planning-prompt.ts';

/** Ways in which a reply can be wrong, for tests; each `[[<way>-<title>]]`, or `[[<way>-<title>-once]]`: mended when it is sent back. */
const WAYS = ['bad', 'broken', 'uncited', 'unknown', 'cut', 'refused'] as const;

/**
 * `bad` breaks the schema, `broken` is no JSON, `uncited` cites nothing, `unknown` cites an id nobody gave, `cut` runs into
 * `max_tokens`, `refused` declines.
 */
export type Spoilage = (typeof WAYS)[number];

/** Markers in a goal that steer the plan: see the members. Example: `Review it [[tasks:2000]] [[fail:2]]`. */
export interface PlanMarkers {
  /** `[[tasks:N]]`: exactly so many tasks that need no tool. */
  tasks: number | null;
  /** `[[sonnet:N]]`: so many tasks for Sonnet, whatever the limits say; `[[sonnet-once:N]]` keeps to them when sent back. */
  sonnet: number;
  /** `[[fail:N]]`: so many of the tasks end in a refusal. */
  fail: number;
  /** `[[depends]]` or `[[depends:N]]`: a chain, each task depending on the one before. */
  chain: number | null;
  /** `[[task-latency:N]]`: milliseconds each reply takes within a task. */
  taskLatencyMs: number | null;
  cycle: boolean;
  noTasks: boolean;
  tooMany: boolean;
}

export function findSpoilage({ marked, title, isRepair }: PlanningPrompt): Spoilage | null {
  const isMarked = (way: string): boolean => {
    if (marked.includes(`[[${way}-${title}]]`)) return true;
    return !isRepair && marked.includes(`[[${way}-${title}-once]]`);
  };
  return WAYS.find(isMarked) ?? null;
}

export function parsePlanMarkers({ marked, isRepair, limits }: PlanningPrompt): PlanMarkers {
  const has = (name: string): boolean => marked.includes(`[[${name}]]`);
  const number = (name: string): number | null => {
    const found = new RegExp(`\\[\\[${name}:(\\d{1,7})\\]\\]`).exec(marked)?.[1];
    return found === undefined ? null : Number(found);
  };
  const once = number('sonnet-once');
  const share = Math.max(1, Math.floor((number('tasks') ?? 10) / 10)); // one task in ten, as the prompt says
  const allowed = isRepair ? Math.min(limits.maxSonnet, share) : Infinity;
  return {
    tasks: number('tasks'),
    sonnet: once === null ? (number('sonnet') ?? 0) : Math.min(once, allowed),
    fail: number('fail') ?? 0,
    chain: number('depends') ?? (has('depends') ? 4 : null),
    taskLatencyMs: number('task-latency'),
    cycle: has('cycle'),
    noTasks: has('no-tasks'),
    tooMany: has('too-many'),
  };
}

/** Milliseconds the coordinator's own call takes: `[[latency:N]]`, or null. */
export function findLatencyMs({ marked }: PlanningPrompt): number | null {
  const found = /\[\[latency:(\d{1,7})\]\]/.exec(marked)?.[1];
  return found === undefined ? null : Number(found);
}

/** How many sections an outline is to have: `[[sections:N]]`, or null. */
export function findSectionCount({ marked }: PlanningPrompt): number | null {
  const found = /\[\[sections:(\d{1,2})\]\]/.exec(marked)?.[1];
  return found === undefined ? null : Number(found);
}

import { findMarkerNumber, hasMarker } from '../markers.ts';
import type { PlanningPrompt } from './planning-prompt.ts';

const WAYS = ['bad', 'broken', 'uncited', 'unknown', 'cut', 'refused'] as const;

/**
 * How a reply is wrong: `bad` breaks the schema, `broken` is not JSON, `uncited` cites nothing, `unknown` cites an id that
 * the prompt does not have, `cut` exceeds `max_tokens`, `refused` declines. The marker is `[[<way>-<title>]]`; with
 * `[[<way>-<title>-once]]` the reply is right when the coordinator sends it back.
 */
export type Spoilage = (typeof WAYS)[number];

/** What the markers of a goal ask of the plan. Example: `Review it [[tasks:2000]] [[fail:2]]`. */
export interface PlanMarkers {
  /** `[[tasks:N]]`: exactly N tasks that need no tool. */
  tasks: number | null;
  /** `[[sonnet:N]]`: N tasks for Sonnet, even above the limits; `[[sonnet-once:N]]` keeps the limits when it is sent back. */
  sonnet: number;
  /** `[[fail:N]]`: N of the tasks end in a refusal. */
  fail: number;
  /** `[[depends]]` or `[[depends:N]]`: a chain of 4 or N tasks; each depends on the one before. */
  chain: number | null;
  /** `[[task-latency:N]]`: ms that each reply within a task takes. */
  taskLatencyMs: number | null;
  /** `[[cycle]]`: two tasks that depend on each other. */
  cycle: boolean;
  /** `[[no-tasks]]`: an empty plan. */
  noTasks: boolean;
  /** `[[too-many]]`: one task more than the limits allow. */
  tooMany: boolean;
}

export function findSpoilage({ marked, title, isRepair }: PlanningPrompt): Spoilage | null {
  const isMarked = (way: string): boolean => {
    if (hasMarker(marked, `${way}-${title}`)) return true;
    return !isRepair && hasMarker(marked, `${way}-${title}-once`);
  };
  return WAYS.find(isMarked) ?? null;
}

export function parsePlanMarkers({ marked, isRepair, limits }: PlanningPrompt): PlanMarkers {
  const has = (name: string): boolean => hasMarker(marked, name);
  const number = (name: string): number | null => findMarkerNumber(marked, name);
  const once = number('sonnet-once');
  const share = Math.max(1, Math.floor((number('tasks') ?? 10) / 10)); // one task in ten, as the coordinator's prompt allows
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

/** `[[latency:N]]`: ms that the coordinator's own call takes, or null. */
export function findLatencyMs({ marked }: PlanningPrompt): number | null {
  return findMarkerNumber(marked, 'latency');
}

/** `[[sections:N]]`: how many sections an outline has, or null. */
export function findSectionCount({ marked }: PlanningPrompt): number | null {
  return findMarkerNumber(marked, 'sections');
}

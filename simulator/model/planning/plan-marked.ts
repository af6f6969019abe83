import { SONNET_REASONS } from '../../../queues/reasons.ts';
import { countOfTask, type DraftTask, draftTask, markFirst } from './draft-task.ts';
import type { PlanMarkers } from './planning-markers.ts';
import type { PlanningPrompt } from './planning-prompt.ts';

/** Most entries of one `for_each` that the plan's schema allows. */
const MOST_ENTRIES = 5_000;
/** A task that ends with the first reply and needs no tool. */
const SMALL = 'Say that item {item} is done. [[turns:1]]';

/** The tasks that the markers ask for; null if they leave the plan open. */
export function planMarked(markers: PlanMarkers, { limits }: PlanningPrompt): DraftTask[] | null {
  if (markers.noTasks) return [];
  if (markers.cycle) return toCycle();
  if (markers.tooMany) return toSmallTasks(limits.maxTasks + 1);
  if (markers.chain !== null) return toChain(markers.chain);
  return markers.tasks === null ? null : toSmallTasks(Math.max(0, markers.tasks - markers.sonnet));
}

/** Adds what the markers ask of any plan: tasks for Sonnet, tasks that fail, slow tasks. */
export function applyMarkers(tasks: DraftTask[], markers: PlanMarkers, goal: string): DraftTask[] {
  const sonnet = Array.from({ length: markers.sonnet }, (_, i) =>
    draftTask(`judge-${i + 1}`, 'analysis', `What do earlier findings say about "${goal.slice(0, 200)}"?`, {
      model: 'sonnet',
      reason: SONNET_REASONS[i % SONNET_REASONS.length] ?? null,
    }),
  );
  const all = markFirst([...tasks, ...sonnet], markers.fail, '[[refuse]]');
  if (markers.taskLatencyMs === null) return all;
  const count = all.reduce((sum, task) => sum + countOfTask(task), 0);
  return markFirst(all, count, `[[latency:${markers.taskLatencyMs}]]`);
}

function toSmallTasks(count: number): DraftTask[] {
  const parts = Array.from({ length: Math.ceil(count / MOST_ENTRIES) }, (_, i) => i * MOST_ENTRIES);
  return parts.map((from, i) =>
    draftTask(i === 0 ? 'item' : `item-${i + 1}`, 'other', SMALL, {
      for_each: Array.from({ length: Math.min(MOST_ENTRIES, count - from) }, (__, n) => String(from + n + 1)),
    }),
  );
}

function toChain(length: number): DraftTask[] {
  return Array.from({ length }, (_, i) =>
    draftTask(`step-${i + 1}`, 'other', SMALL.replace('{item}', String(i + 1)), {
      depends_on: i === 0 ? [] : [`step-${i}`],
    }),
  );
}

function toCycle(): DraftTask[] {
  const task = (id: string, before: string) =>
    draftTask(id, 'other', SMALL.replace('{item}', id), { depends_on: [before] });
  return [task('hen', 'egg'), task('egg', 'hen')];
}

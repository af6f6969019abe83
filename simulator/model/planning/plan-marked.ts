import { SONNET_REASONS } from '../../../queues/reasons.ts';
import { countOfTask, type DraftTask, draftTask, markFirst } from './draft-task.ts';
import type { PlanMarkers } from './planning-markers.ts';
import type { PlanningPrompt } from './planning-prompt.ts';

/** Entries of one `for_each`: more break the plan's schema. */
const MOST_ENTRIES = 5_000;
/** Answers at once, without a tool. */
const SMALL = 'Say that item {item} is done. [[turns:1]]';

/** The tasks that markers ask for, or null where they ask for none. */
export function planMarked(markers: PlanMarkers, { limits }: PlanningPrompt): DraftTask[] | null {
  if (markers.noTasks) return [];
  if (markers.cycle) return toCycle();
  if (markers.tooMany) return toSmallTasks(limits.maxTasks + 1);
  if (markers.chain !== null) return toChain(markers.chain);
  return markers.tasks === null ? null : toSmallTasks(Math.max(0, markers.tasks - markers.sonnet));
}

/** Adds what markers want of any plan: tasks for Sonnet, tasks that fail, tasks that take their time. */
export function applyMarkers(tasks: DraftTask[], markers: PlanMarkers, goal: string): DraftTask[] {
  const sonnet = Array.from({ length: markers.sonnet }, (_, at) =>
    draftTask(`judge-${at + 1}`, 'analysis', `What do earlier findings say about "${goal.slice(0, 200)}"?`, {
      model: 'sonnet',
      reason: SONNET_REASONS[at % SONNET_REASONS.length] ?? null,
    }),
  );
  const all = markFirst([...tasks, ...sonnet], markers.fail, '[[refuse]]');
  if (markers.taskLatencyMs === null) return all;
  const count = all.reduce((sum, task) => sum + countOfTask(task), 0);
  return markFirst(all, count, `[[latency:${markers.taskLatencyMs}]]`);
}

function toSmallTasks(count: number): DraftTask[] {
  const parts = Array.from({ length: Math.ceil(count / MOST_ENTRIES) }, (_, at) => at * MOST_ENTRIES);
  return parts.map((from, at) =>
    draftTask(at === 0 ? 'item' : `item-${at + 1}`, 'other', SMALL, {
      for_each: Array.from({ length: Math.min(MOST_ENTRIES, count - from) }, (__, n) => String(from + n + 1)),
    }),
  );
}

function toChain(length: number): DraftTask[] {
  return Array.from({ length }, (_, at) =>
    draftTask(`step-${at + 1}`, 'other', SMALL.replace('{item}', String(at + 1)), {
      depends_on: at === 0 ? [] : [`step-${at}`],
    }),
  );
}

function toCycle(): DraftTask[] {
  const task = (id: string, before: string) =>
    draftTask(id, 'other', SMALL.replace('{item}', id), { depends_on: [before] });
  return [task('hen', 'egg'), task('egg', 'hen')];
}

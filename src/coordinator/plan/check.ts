import type { z } from 'zod';
import { countOf } from '../../text/plural.ts';
import { isGuardedName } from '../../haiku/tools/files/secret-names.ts';
import { leavesWorkspace } from '../../tasks/check.ts';
import { planSchema, type Plan, type PlannedTask } from './plan.ts';
import { SONNET_REASONS } from '../../../queues/reasons.ts';
import type { Checked } from '../calls/types.ts';
import { countNodes, fillItem, hasItem, orderByDependencies } from './expand.ts';

/** What a plan may hold. */
export interface PlanLimits {
  /** Tasks, `for_each` spread out. */
  maxTasks: number;
  /** Sonnet tasks, besides the one in ten that no plan may pass. */
  maxSonnet: number;
}

/** Problems told at once; a model mends a few at a time. */
const MOST_PROBLEMS = 5;
/** Every task of a `for_each` waits for every task of another: some hundred kilobytes of positions, and no more. */
const MOST_EDGES = 100_000;
/** All descriptions and file names together, UTF-16 code units: what a queue holds of 5,000 tasks stays below 4 kB each. */
const MOST_TEXT = 16_000_000;
/** Of one task, as queues/tasks.ts has it. */
const LONGEST_DESCRIPTION = 200_000;
const LONGEST_FILE = 4_096;

/**
 * Checks a planner's reply: shape, number of tasks, ids, dependencies, files, reasons and number of Sonnet tasks. What is wrong
 * is said in one line each, so that a model can mend it. What the session allows besides is `admitPlan`'s to say.
 */
export function checkPlan(json: unknown, limits: PlanLimits): Checked<Plan> {
  const total = countRaw(json); // before the shape: a plan of 100,000 tasks is told its number, not its first odd task
  if (total !== null && (total < 1 || total > limits.maxTasks)) {
    return failed([
      `the plan has ${countOf(total, 'task')}: expected 1 to ${limits.maxTasks.toLocaleString('en-US')}, each entry of a for_each counted`,
    ]);
  }
  const parsed = planSchema.safeParse(json);
  if (!parsed.success) return failed(parsed.error.issues.map((issue) => describeIssue(issue, json)));
  const { tasks } = parsed.data;
  const problems = [...checkIds(tasks), ...checkItems(tasks), ...checkSonnet(tasks, limits.maxSonnet)];
  if (problems.length === 0) problems.push(...checkCircle(tasks), ...checkSize(tasks));
  if (problems.length === 0) problems.push(...checkFiles(tasks));
  return problems.length > 0 ? failed(problems) : { ok: true, value: parsed.data };
}

/** Most Sonnet tasks of any plan of `total` tasks: one in ten, and one where that is none. */
function shareOfSonnet(total: number): number {
  return Math.max(1, Math.floor(total / 10));
}

/** Tasks of a plan by the model they go to. */
export function countByModel(plan: Plan): { haiku: number; sonnet: number } {
  const counts = { haiku: 0, sonnet: 0 };
  for (const task of plan.tasks) counts[task.model] += countNodes(task);
  return counts;
}

function failed(problems: readonly string[]): { ok: false; problem: string } {
  const rest = problems.length - MOST_PROBLEMS;
  const more = rest > 0 ? [`and ${countOf(rest, 'more problem')} of these kinds`] : [];
  return { ok: false, problem: [...problems.slice(0, MOST_PROBLEMS), ...more].join('\n') };
}

/** Null where it has no tasks to count. */
function countRaw(json: unknown): number | null {
  const tasks: unknown = typeof json === 'object' && json !== null && 'tasks' in json ? json.tasks : null;
  if (!Array.isArray(tasks)) return null;
  return tasks.reduce((sum: number, task: unknown) => {
    const each: unknown = typeof task === 'object' && task !== null && 'for_each' in task ? task.for_each : null;
    return sum + (Array.isArray(each) ? each.length : 1);
  }, 0);
}

function describeIssue({ path, message }: z.core.$ZodIssue, json: unknown): string {
  const [top, at, ...rest] = path;
  if (top !== 'tasks' || typeof at !== 'number') return `${path.join('.') || 'the plan'}: ${message}`;
  const task = (json as { tasks: unknown[] }).tasks[at];
  const id = typeof task === 'object' && task !== null && 'id' in task ? ` (${JSON.stringify(task.id)})` : '';
  return `task ${at + 1}${id}${rest.length > 0 ? `, ${rest.join('.')}` : ''}: ${message}`;
}

function checkIds(tasks: readonly PlannedTask[]): string[] {
  const ids = new Set(tasks.map((task) => task.id));
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const { id, depends_on: dependsOn } of tasks) {
    if (seen.has(id)) problems.push(`task ${id}: another task has this id too, and each needs its own`);
    seen.add(id);
    for (const other of dependsOn) {
      if (other === id) problems.push(`task ${id}: it depends on itself`);
      else if (!ids.has(other)) problems.push(`task ${id}: it depends on ${JSON.stringify(other)}, which no task is`);
    }
    const twice = findTwice(dependsOn);
    if (twice !== null) problems.push(`task ${id}: depends_on names ${twice} twice`);
  }
  return problems;
}

function checkItems(tasks: readonly PlannedTask[]): string[] {
  return tasks.flatMap((task) => {
    const each = task.for_each ?? null;
    if (each === null) return [];
    if (each.length === 0) return [`task ${task.id}: for_each is empty; leave it out or name what the tasks are for`];
    const twice = findTwice(each);
    if (twice !== null) return [`task ${task.id}: for_each holds ${JSON.stringify(twice)} twice`];
    if (each.length > 1 && !hasItem(task)) {
      return [
        `task ${task.id}: for_each has ${each.length} entries, but {item} stands neither in its description nor its files, so all would be the same task`,
      ];
    }
    return [];
  });
}

/** A task that names a file may read it, whatever it holds: only a person may name a secret. */
function checkFiles(tasks: readonly PlannedTask[]): string[] {
  return tasks.flatMap((task) => {
    const files = (task.for_each ?? [null]).flatMap((item) => (task.files ?? []).map((file) => fillItem(file, item)));
    const secret = files.find(isGuardedName);
    if (secret !== undefined) {
      return [`task ${task.id}: files names ${JSON.stringify(secret)}, which commonly holds secrets; leave it out`];
    }
    const outside = files.find(leavesWorkspace);
    return outside === undefined
      ? []
      : [`task ${task.id}: files names ${JSON.stringify(outside)}, outside the workspace`];
  });
}

function checkSonnet(tasks: readonly PlannedTask[], allowed: number): string[] {
  const sonnet = tasks.filter((task) => task.model === 'sonnet');
  const problems = sonnet
    .filter((task) => !task.reason)
    .map((task) => `task ${task.id}: model sonnet needs a reason, one of ${SONNET_REASONS.join(', ')}; else haiku`);
  const total = tasks.reduce((sum, task) => sum + countNodes(task), 0);
  const count = sonnet.reduce((sum, task) => sum + countNodes(task), 0);
  const most = Math.min(allowed, shareOfSonnet(total));
  if (count > most) {
    problems.push(
      `the plan gives ${count} of ${countOf(total, 'task')} to sonnet: expected at most ${most}; give the others to haiku`,
    );
  }
  return problems;
}

function checkCircle(tasks: readonly PlannedTask[]): string[] {
  const order = orderByDependencies(tasks);
  return 'cycle' in order
    ? [`depends_on goes in a circle: ${describeCircle(order.cycle)}; no task of it could begin`]
    : [];
}

function describeCircle(cycle: readonly string[]): string {
  const names = cycle.length <= 12 ? cycle : [...cycle.slice(0, 6), '…', ...cycle.slice(-6)];
  return names.join(' → ');
}

function checkSize(tasks: readonly PlannedTask[]): string[] {
  const counts = new Map(tasks.map((task) => [task.id, countNodes(task)]));
  const problems: string[] = [];
  let edges = 0;
  let text = 0;
  for (const task of tasks) {
    const items = task.for_each ?? [''];
    const waits = task.depends_on.reduce((sum, id) => sum + (counts.get(id) ?? 0), 0);
    edges += items.length * waits;
    const longest = items.reduce((most, item) => Math.max(most, item.length), 0);
    const description = lengthWith(task.description, longest);
    const files = (task.files ?? []).map((file) => lengthWith(file, longest));
    text += items.length * (description + files.reduce((sum, length) => sum + length, 0));
    if (description > LONGEST_DESCRIPTION) {
      problems.push(
        `task ${task.id}: its description has ${description} characters once {item} is filled in, expected at most ${LONGEST_DESCRIPTION}`,
      );
    }
    if (files.some((length) => length > LONGEST_FILE)) {
      problems.push(`task ${task.id}: a file name has more than ${LONGEST_FILE} characters once {item} is filled in`);
    }
  }
  if (edges > MOST_EDGES) {
    problems.push(
      `depends_on makes ${edges.toLocaleString('en-US')} waits of one task for another, expected at most ${MOST_EDGES.toLocaleString('en-US')}: let one task in between gather`,
    );
  }
  if (text > MOST_TEXT) {
    problems.push(
      `all descriptions and files together have ${text.toLocaleString('en-US')} characters once {item} is filled in, expected at most ${MOST_TEXT.toLocaleString('en-US')}: say it shorter`,
    );
  }
  return problems;
}

function lengthWith(text: string, itemLength: number): number {
  const places = text.split('{item}').length - 1;
  return text.length + places * (itemLength - '{item}'.length);
}

function findTwice(names: readonly string[]): string | null {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size) ?? null;
}

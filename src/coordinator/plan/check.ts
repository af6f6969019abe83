import type { z } from 'zod';
import { countOf, formatCount } from '../../text/plural.ts';
import { isGuardedName } from '../../haiku/tools/files/secret-names.ts';
import { leavesWorkspace } from '../../tasks/check.ts';
import { personsPlanSchema, planSchema, type Plan, type PlannedTask } from './plan.ts';
import { TASK_LIMITS } from '../../../queues/tasks.ts';
import { SONNET_REASONS } from '../../../queues/reasons.ts';
import type { Checked } from '../calls/types.ts';
import { countNodes, fillItem, hasItem, orderByDependencies } from './expand.ts';
import { BETTER_NAME, type PlanModels } from './plan-models.ts';

/** The limits of a plan. */
export interface PlanLimits {
  /** Most tasks, each entry of `for_each` counted. */
  maxTasks: number;
  /** Most tasks for expensive models. No plan may have more than one in ten anyway. Null: a person decides about their share. */
  maxSonnet: number | null;
  /** The models that its tasks may name. */
  models: PlanModels;
}

/** Who wrote the plan. An unknown field of a person's plan is a mistake, and a person is told more problems at once. */
export type PlanAuthor = 'model' | 'person';

/** Problems stated at once; a model repairs only a few at a time. */
const MOST_PROBLEMS: Record<PlanAuthor, number> = { model: 5, person: 50 };
/** Most dependencies between expanded tasks. They multiply when one `for_each` depends on another. */
const MOST_EDGES = 100_000;
/** Most UTF-16 code units of all descriptions and file names: below 4 kB for each of 5,000 jobs. */
const MOST_TEXT = 16_000_000;

/** A rule for plans. Returns one line for each problem, which the model can act on. */
type Rule = (tasks: readonly PlannedTask[], limits: PlanLimits) => string[];

/** The rules of a parsed plan, in stages. A stage runs only if the one before found no problem: its rules rely on that. */
const STAGES: readonly (readonly Rule[])[] = [
  [checkIds, checkItems, checkModels],
  [checkCircle, checkLengths, checkEdges, checkTotalText],
  [checkFiles],
];

/**
 * Checks a planner's reply: number of tasks, shape, then the rules. The problems go back to the model. The share of expensive
 * tasks is checked once more by `admitPlan`.
 */
export function checkPlan(json: unknown, limits: PlanLimits, author: PlanAuthor = 'model'): Checked<Plan> {
  const refuse = (problems: readonly string[]) => toRefusal(problems, MOST_PROBLEMS[author]);
  const total = countRaw(json); // before the shape: for a plan of 100,000 tasks the number is the problem to state
  if (total !== null && (total < 1 || total > limits.maxTasks)) {
    return refuse([
      `the plan has ${countOf(total, 'task')}: expected 1 to ${formatCount(limits.maxTasks)}, each entry of a for_each counted`,
    ]);
  }
  const parsed = (author === 'model' ? planSchema : personsPlanSchema).safeParse(json);
  if (!parsed.success) return refuse(parsed.error.issues.map((issue) => describeIssue(issue, json)));
  for (const rules of STAGES) {
    const problems = rules.flatMap((rule) => rule(parsed.data.tasks, limits));
    if (problems.length > 0) return refuse(problems);
  }
  return { ok: true, value: parsed.data };
}

/**
 * Most expensive tasks of any plan of `total` tasks: one in ten, but at least one. `admit-plan.lua` decides; here the planner is told of
 * it together with the other problems, because it may repair a plan once.
 */
function shareOfExpensive(total: number): number {
  return Math.max(1, Math.floor(total / 10));
}

/** Tasks by the class of their model: `sonnet` counts those for expensive ones (`PlanModels`), `haiku` all others. */
export interface ClassCounts {
  haiku: number;
  sonnet: number;
}

/** @param tasks of a plan, each entry of `for_each` counted, or tasks that a plan was expanded to */
export function countByClass(
  tasks: readonly { model: string; for_each?: readonly string[] | null | undefined }[],
  models: Pick<PlanModels, 'isExpensive'>,
): ClassCounts {
  const counts = { haiku: 0, sonnet: 0 };
  for (const task of tasks) {
    counts[models.isExpensive(task.model) ? 'sonnet' : 'haiku'] += task.for_each?.length ?? 1;
  }
  return counts;
}

function toRefusal(problems: readonly string[], most: number): { ok: false; problem: string } {
  const rest = problems.length - most;
  const more = rest > 0 ? [`and ${countOf(rest, 'more problem')} of these kinds`] : [];
  return { ok: false, problem: [...problems.slice(0, most), ...more].join('\n') };
}

/** Counts the tasks of an unchecked reply. Null: it has no list of tasks. */
function countRaw(json: unknown): number | null {
  const tasks: unknown = typeof json === 'object' && json !== null && 'tasks' in json ? json.tasks : null;
  if (!Array.isArray(tasks)) return null;
  return tasks.reduce((sum: number, task: unknown) => {
    const each: unknown = typeof task === 'object' && task !== null && 'for_each' in task ? task.for_each : null;
    return sum + (Array.isArray(each) ? each.length : 1);
  }, 0);
}

function describeIssue({ path, message }: z.core.$ZodIssue, json: unknown): string {
  const [top, index, ...rest] = path;
  if (top !== 'tasks' || typeof index !== 'number') return `${path.join('.') || 'the plan'}: ${message}`;
  const task = (json as { tasks: unknown[] }).tasks[index];
  const id = typeof task === 'object' && task !== null && 'id' in task ? ` (${JSON.stringify(task.id)})` : '';
  return `task ${index + 1}${id}${rest.length > 0 ? `, ${rest.join('.')}` : ''}: ${message}`;
}

/** `task 2 ("b"), depends_on`: number and id of a task within the plan, and the field. */
function toPlace(index: number, { id }: PlannedTask, field: keyof PlannedTask): string {
  return `task ${index + 1} (${JSON.stringify(id)}), ${field}`;
}

function checkIds(tasks: readonly PlannedTask[]): string[] {
  const ids = new Set(tasks.map((task) => task.id));
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const [i, task] of tasks.entries()) {
    const { id, depends_on: dependsOn } = task;
    const place = toPlace(i, task, 'depends_on');
    if (seen.has(id)) problems.push(`${toPlace(i, task, 'id')}: another task has this id too, and each needs its own`);
    seen.add(id);
    for (const other of dependsOn) {
      if (other === id) problems.push(`${place}: it depends on itself`);
      else if (!ids.has(other)) problems.push(`${place}: it depends on ${JSON.stringify(other)}, which no task is`);
    }
    const twice = findDuplicate(dependsOn);
    if (twice !== null) problems.push(`${place}: it names ${twice} twice`);
  }
  return problems;
}

function checkItems(tasks: readonly PlannedTask[]): string[] {
  return tasks.flatMap((task, i) => {
    const each = task.for_each ?? null;
    if (each === null) return [];
    const place = toPlace(i, task, 'for_each');
    if (each.length === 0) return [`${place}: it is empty; leave it out or name what the tasks are for`];
    const twice = findDuplicate(each);
    if (twice !== null) return [`${place}: it holds ${JSON.stringify(twice)} twice`];
    if (each.length > 1 && !hasItem(task)) {
      return [
        `${place}: it has ${each.length} entries, but {item} stands neither in its description nor its files, so all would be the same task`,
      ];
    }
    return [];
  });
}

/** A task may read every file it names. So a plan may name no file that commonly holds secrets; only a person may. */
function checkFiles(tasks: readonly PlannedTask[]): string[] {
  return tasks.flatMap((task, i) => {
    const place = toPlace(i, task, 'files');
    const files = (task.for_each ?? [null]).flatMap((item) => (task.files ?? []).map((file) => fillItem(file, item)));
    const secret = files.find(isGuardedName);
    if (secret !== undefined) {
      return [`${place}: ${JSON.stringify(secret)} commonly holds secrets; leave it out`];
    }
    const outside = files.find(leavesWorkspace);
    return outside === undefined ? [] : [`${place}: ${JSON.stringify(outside)} is outside the workspace`];
  });
}

function checkModels(tasks: readonly PlannedTask[], { maxSonnet, models }: PlanLimits): string[] {
  const problems = tasks.flatMap((task, i) => {
    const { model, reason } = task;
    const problem = models.findProblem(model);
    if (problem !== null) return [`${toPlace(i, task, 'model')}: ${problem}`];
    if (reason || !models.isExpensive(model)) return [];
    return [
      `${toPlace(i, task, 'reason')}: model ${model} needs a reason, one of ${SONNET_REASONS.join(', ')}; else haiku`,
    ];
  });
  const counts = countByClass(tasks, models);
  const total = counts.haiku + counts.sonnet;
  const most = Math.min(maxSonnet ?? total, shareOfExpensive(total));
  if (maxSonnet !== null && counts.sonnet > most) {
    problems.push(`${describeShare(tasks, models)}: expected at most ${most}; give the others to haiku`);
  }
  return problems;
}

/** `the plan gives 3 of 4 tasks to sonnet`, or to what else it names. */
export function describeShare(
  tasks: Parameters<typeof countByClass>[0],
  models: Pick<PlanModels, 'isExpensive'>,
): string {
  const { haiku, sonnet } = countByClass(tasks, models);
  const named = [...new Set(tasks.map(({ model }) => model))].filter((model) => models.isExpensive(model));
  return `the plan gives ${sonnet} of ${countOf(haiku + sonnet, 'task')} to ${named.join(' and ') || BETTER_NAME}`;
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

function checkLengths(tasks: readonly PlannedTask[]): string[] {
  return tasks.flatMap((task, i) => {
    const { description, files } = measureTexts(task);
    const problems: string[] = [];
    if (description > TASK_LIMITS.description) {
      problems.push(
        `${toPlace(i, task, 'description')}: it has ${description} characters once {item} is filled in, expected at most ${TASK_LIMITS.description}`,
      );
    }
    if (files.some((length) => length > TASK_LIMITS.file)) {
      problems.push(
        `${toPlace(i, task, 'files')}: a name has more than ${TASK_LIMITS.file} characters once {item} is filled in`,
      );
    }
    return problems;
  });
}

function checkEdges(tasks: readonly PlannedTask[]): string[] {
  const counts = new Map(tasks.map((task) => [task.id, countNodes(task)]));
  const edges = tasks.reduce((sum, task) => {
    const dependencies = task.depends_on.reduce((most, id) => most + (counts.get(id) ?? 0), 0);
    return sum + countNodes(task) * dependencies;
  }, 0);
  if (edges <= MOST_EDGES) return [];
  return [
    `depends_on makes ${formatCount(edges)} waits of one task for another, expected at most ${formatCount(MOST_EDGES)}: let one task in between gather`,
  ];
}

function checkTotalText(tasks: readonly PlannedTask[]): string[] {
  const text = tasks.reduce((sum, task) => {
    const { description, files } = measureTexts(task);
    return sum + countNodes(task) * files.reduce((all, length) => all + length, description);
  }, 0);
  if (text <= MOST_TEXT) return [];
  return [
    `all descriptions and files together have ${formatCount(text)} characters once {item} is filled in, expected at most ${formatCount(MOST_TEXT)}: say it shorter`,
  ];
}

/** Lengths of a task's texts with the longest entry of `for_each` filled in. */
function measureTexts(task: PlannedTask): { description: number; files: number[] } {
  const longest = (task.for_each ?? []).reduce((most, item) => Math.max(most, item.length), 0);
  return {
    description: lengthWith(task.description, longest),
    files: (task.files ?? []).map((file) => lengthWith(file, longest)),
  };
}

function lengthWith(text: string, itemLength: number): number {
  const places = text.split('{item}').length - 1;
  return text.length + places * (itemLength - '{item}'.length);
}

/** The first name that occurs a second time; null: none does. */
function findDuplicate(names: readonly string[]): string | null {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}

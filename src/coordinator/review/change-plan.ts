import { UsageError } from '../../errors.ts';
import { checkPlan } from '../plan/check.ts';
import { expandPlan } from '../plan/expand.ts';
import type { Plan, PlanNode } from '../plan/plan.ts';
import type { PlanModels } from '../plan/plan-models.ts';
import { MOST_TASKS } from '../plan/prompt.ts';
import { countOf } from '../../text/plural.ts';

/** Numbers that an error names. */
const NAMED = 20;

/**
 * Checks a plan that a person has edited by the rules of the coordinator's own.
 * @param edited a plan, or what `fleet mission ID --json` prints, whose `plan` it is
 * @throws UsageError with a line for each problem: the task's number in the file, its id, the field, the rule
 */
export function checkEditedPlan(id: string, edited: unknown, models: PlanModels, maxTasks = MOST_TASKS): Plan {
  const own: unknown =
    typeof edited === 'object' && edited !== null && 'plan' in edited && !('tasks' in edited) ? edited.plan : edited;
  const checked = checkPlan(own, { maxTasks, maxSonnet: maxTasks, models }, 'person');
  if (checked.ok) return checked.value;
  throw new UsageError(
    `mission ${id}: the edited plan breaks these rules, and nothing was changed:\n${checked.problem}`,
  );
}

/**
 * Leaves tasks out of a plan. The others keep their numbers.
 * @throws UsageError for a number that no task has, and for a task that stays and depends on one that is left out
 */
export function dropTasks(id: string, plan: Plan, dropped: readonly number[]): PlanNode[] {
  const nodes = expandPlan(plan);
  const gone = new Set(dropped);
  const unknown = [...gone].filter((n) => !Number.isInteger(n) || n < 1 || n > nodes.length);
  if (unknown.length > 0) {
    throw new UsageError(
      `mission ${id}: --drop: there is no task ${list(unknown)}; the plan has tasks 1 to ${nodes.length}`,
    );
  }
  const broken = nodes.filter(({ n, dependsOn }) => !gone.has(n) && dependsOn.some((other) => gone.has(other)));
  if (broken.length > 0) {
    const all = withDependents(nodes, gone);
    const more = [...all].filter((n) => !gone.has(n));
    const why = broken
      .slice(0, NAMED)
      .map(({ n, dependsOn }) => `task ${n} depends on ${list(dependsOn.filter((other) => gone.has(other)))}`);
    const way =
      all.size === nodes.length
        ? 'nothing would be left'
        : `to leave out what depends on them, too (${list(more)}): --drop ${toList(all)}`;
    throw new UsageError(`mission ${id}: --drop: ${why.join('; ')}; ${way}`);
  }
  const kept = nodes.filter(({ n }) => !gone.has(n));
  if (kept.length > 0) return kept;
  throw new UsageError(
    `mission ${id}: --drop: that leaves none of its ${countOf(nodes.length, 'task')}; fleet park ${id} sets it aside`,
  );
}

/** What a person changes about one task of a plan, an entry of `for_each` never alone. Absent: it stays. */
export interface TaskChange {
  /** Id of the planned task. */
  task: string;
  /** `{item}` stands for each entry of `for_each`. */
  description?: string | undefined;
  model?: string | undefined;
  /** Why it needs an expensive model. */
  reason?: string | undefined;
}

/**
 * A plan with a person's changes, without the tasks that are left out: a plan to edit (`checkEditedPlan`), whose tasks have new numbers.
 * @throws UsageError for what `dropTasks` refuses, and a change of a task that is not in the plan
 */
export function changeTasks(
  id: string,
  plan: Plan,
  changes: readonly TaskChange[],
  dropped: readonly number[],
): object {
  const kept = new Set(dropTasks(id, plan, dropped).map(({ n }) => n));
  const unknown = changes.find(({ task }) => !plan.tasks.some((planned) => planned.id === task));
  if (unknown !== undefined)
    throw new UsageError(`mission ${id}: its plan has no task ${JSON.stringify(unknown.task)}`);
  const numbers = new Map<string, number[]>();
  for (const { n, task } of expandPlan(plan)) numbers.set(task, [...(numbers.get(task) ?? []), n]);
  const isKept = (n: number | undefined): boolean => n !== undefined && kept.has(n);
  const tasks = plan.tasks
    .filter((task) => numbers.get(task.id)?.some(isKept) === true)
    .map((task) => {
      const { task: _, ...change } = changes.find((one) => one.task === task.id) ?? { task: task.id };
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      const entries = task.for_each?.filter((_entry, i) => isKept(numbers.get(task.id)?.[i]));
      return { ...task, ...given, ...(entries === undefined ? {} : { for_each: entries }) };
    });
  return { ...plan, tasks };
}

/** @param nodes each after those it depends on */
function withDependents(nodes: readonly PlanNode[], gone: ReadonlySet<number>): Set<number> {
  const all = new Set(gone);
  for (const { n, dependsOn } of nodes) if (dependsOn.some((other) => all.has(other))) all.add(n);
  return all;
}

function list(numbers: readonly number[]): string {
  const rest = numbers.length - NAMED;
  return numbers.slice(0, NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** For a command line. */
function toList(numbers: ReadonlySet<number>): string {
  return [...numbers].toSorted((a, b) => a - b).join(',');
}

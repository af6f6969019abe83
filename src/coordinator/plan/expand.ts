import type { Plan, PlanNode, PlannedTask } from './plan.ts';
import { DEFAULT_NAME } from './plan-models.ts';

const ITEM = '{item}';

/**
 * Expands a checked plan (`checkPlan`) into the tasks that become jobs: one for each entry of `for_each`, with `{item}`
 * replaced, numbered from 1 so that a task comes after all tasks it depends on.
 * @throws TypeError for a plan with a circle, which `checkPlan` refuses
 */
export function expandPlan(plan: Plan): PlanNode[] {
  const order = orderByDependencies(plan.tasks);
  if ('cycle' in order) throw new TypeError(`the plan goes in a circle: ${order.cycle.join(' → ')}`);
  const positions = new Map<string, number[]>();
  const nodes: PlanNode[] = [];
  for (const task of order.ordered) {
    const dependsOn = task.depends_on.flatMap((id) => positions.get(id) ?? []);
    const own: number[] = [];
    for (const item of task.for_each ?? [null]) {
      const n = nodes.length + 1;
      own.push(n);
      nodes.push(toNode(task, n, item, dependsOn));
    }
    positions.set(task.id, own);
  }
  return nodes;
}

/** How many tasks a planned task expands to. */
export function countNodes(task: Pick<PlannedTask, 'for_each'>): number {
  return task.for_each?.length ?? 1;
}

/** Whether `{item}` is in the description or a file name. */
export function hasItem({ description, files }: PlannedTask): boolean {
  return [description, ...(files ?? [])].some((text) => text.includes(ITEM));
}

/** A text of a planned task with `{item}` replaced. @param item null: the task has no `for_each` */
export function fillItem(text: string, item: string | null): string {
  return item === null ? text : text.replaceAll(ITEM, () => item); // a function: `$&` in a name is no pattern
}

function toNode(task: PlannedTask, n: number, item: string | null, dependsOn: number[]): PlanNode {
  const fill = (text: string): string => fillItem(text, item);
  return {
    n,
    task: task.id,
    description: fill(task.description),
    kind: task.kind,
    model: task.model,
    reason: task.model === DEFAULT_NAME ? null : (task.reason ?? null),
    files: (task.files ?? []).map(fill),
    dependsOn,
  };
}

/** The tasks with each one after those it depends on, otherwise in the plan's order; or a circle, which has no such order. */
type DependencyOrder = { ordered: PlannedTask[] } | { cycle: string[] };

/** Depth-first search. @param tasks with unique ids; a dependency that no task has is ignored */
export function orderByDependencies(tasks: readonly PlannedTask[]): DependencyOrder {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const ordered: PlannedTask[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const root of tasks) {
    // An explicit stack instead of recursion: a chain may have thousands of tasks.
    const path: { task: PlannedTask; next: number }[] = [];
    enter(root);
    while (path.length > 0) {
      const top = path.at(-1);
      if (top === undefined) break;
      const id = top.task.depends_on[top.next];
      top.next += 1;
      if (id === undefined) {
        state.set(top.task.id, 'done');
        ordered.push(top.task);
        path.pop();
        continue;
      }
      if (state.get(id) === 'open') {
        const names = path.map(({ task }) => task.id);
        return { cycle: [...names.slice(names.indexOf(id)), id] };
      }
      const task = byId.get(id);
      if (task !== undefined) enter(task);
    }
    function enter(task: PlannedTask): void {
      if (state.has(task.id)) return;
      state.set(task.id, 'open');
      path.push({ task, next: 0 });
    }
  }
  return { ordered };
}

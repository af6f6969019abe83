import type { Plan, PlanNode, PlannedTask } from './plan.ts';

const ITEM = '{item}';

/**
 * Spreads a checked plan (`checkPlan`) into the tasks that become jobs: one for each entry of `for_each`, `{item}` filled
 * in, numbered from 1 so that a task comes after all it depends on.
 * @throws TypeError for a plan with a circle, which no check lets through
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

/** How many tasks it stands for. */
export function countNodes(task: Pick<PlannedTask, 'for_each'>): number {
  return task.for_each?.length ?? 1;
}

/** Whether an entry of `for_each` would show anywhere in it. */
export function hasItem({ description, files }: PlannedTask): boolean {
  return [description, ...(files ?? [])].some((text) => text.includes(ITEM));
}

/** A text of a planned task with the entry filled in. @param item null: it has no `for_each` */
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
    reason: task.model === 'sonnet' ? (task.reason ?? null) : null,
    files: (task.files ?? []).map(fill),
    dependsOn,
  };
}

/** Tasks so that each comes after those it depends on, else in the order of the plan; or the circle that makes that impossible. */
type DependencyOrder = { ordered: PlannedTask[] } | { cycle: string[] };

/** @param tasks with unique ids; a dependency nobody has is passed over */
export function orderByDependencies(tasks: readonly PlannedTask[]): DependencyOrder {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const ordered: PlannedTask[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const root of tasks) {
    // A stack of its own: a chain of thousands of tasks must not be one of function calls.
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

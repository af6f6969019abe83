import type { PlannedTask } from './plan.ts';

/** Tasks so that each comes after those it depends on, else in the order of the plan; or the circle that makes that impossible. */
export type DependencyOrder = { ordered: PlannedTask[] } | { cycle: string[] };

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

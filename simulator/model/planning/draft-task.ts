import type { SonnetReason } from '../../../queues/reasons.ts';
import type { TASK_KINDS } from '../../../queues/kinds.ts';

/** One task of a plan, in the form that the coordinator's plan schema asks for. Null: the plan leaves the field out. */
export interface DraftTask {
  id: string;
  /** `{item}` is replaced by each entry of `for_each`. */
  description: string;
  kind: (typeof TASK_KINDS)[number];
  model: 'haiku' | 'sonnet';
  reason: SonnetReason | null;
  /** Ids of tasks of the same plan. */
  depends_on: string[];
  for_each: string[] | null;
  files: string[] | null;
}

export function draftTask(
  id: string,
  kind: DraftTask['kind'],
  description: string,
  more: Partial<DraftTask> = {},
): DraftTask {
  return { id, description, kind, model: 'haiku', reason: null, depends_on: [], for_each: null, files: null, ...more };
}

/** Tasks that the draft becomes: one for each entry of `for_each`. */
export function countOfTask({ for_each: items }: DraftTask): number {
  return items === null ? 1 : items.length;
}

/** The first `most` tasks; the last draft may lose entries. Dependencies on dropped drafts are removed. */
export function keepFirst(tasks: readonly DraftTask[], most: number): DraftTask[] {
  const kept: DraftTask[] = [];
  let room = most;
  for (const task of tasks) {
    if (room === 0) break;
    const fitting = task.for_each === null ? task : { ...task, for_each: task.for_each.slice(0, room) };
    kept.push(fitting);
    room -= countOfTask(fitting);
  }
  const ids = new Set(kept.map(({ id }) => id));
  return kept.map((task) => ({ ...task, depends_on: task.depends_on.filter((id) => ids.has(id)) }));
}

/** Appends a marker to the descriptions of the first `count` tasks. A draft that is marked in part is split. */
export function markFirst(tasks: readonly DraftTask[], count: number, marker: string): DraftTask[] {
  const split = new Map<string, string>();
  let left = count;
  const marked = tasks.flatMap((task): DraftTask[] => {
    const size = countOfTask(task);
    if (left === 0) return [task];
    const one = { ...task, description: `${task.description} ${marker}` };
    if (size <= left || task.for_each === null) {
      left -= size;
      return [one];
    }
    const [some, others] = [task.for_each.slice(0, left), task.for_each.slice(left)];
    const id = `${task.id}-marked`;
    split.set(task.id, id);
    left = 0;
    return [
      { ...one, id, for_each: some },
      { ...task, for_each: others },
    ];
  });
  const withSplit = (id: string): string[] => [id, split.get(id) ?? []].flat();
  return marked.map((task) => ({ ...task, depends_on: task.depends_on.flatMap(withSplit) }));
}

/** Leaves out a task with those that depend on it, directly or not. @param tasks each after those it depends on */
export function leaveOut(tasks, dropped, n) {
  const next = new Set(dropped).add(n);
  for (const task of tasks) if (task.dependsOn.some((other) => next.has(other))) next.add(task.n);
  return next;
}

/** Takes a task in again with those that it depends on. */
export function takeIn(tasks, dropped, n) {
  const next = new Set(dropped);
  const byNumber = new Map(tasks.map((task) => [task.n, task]));
  const wanted = [n];
  for (const number of wanted) {
    next.delete(number);
    wanted.push(...(byNumber.get(number)?.dependsOn ?? []).filter((other) => next.has(other)));
  }
  return next;
}

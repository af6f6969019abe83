import { type DraftTask, keepFirst } from './draft-task.ts';
import { planBlind } from './plan-blind.ts';
import { planFolder } from './plan-folder.ts';
import { applyMarkers, planMarked } from './plan-marked.ts';
import { parsePlanMarkers } from './planning-markers.ts';
import type { PlanningPrompt } from './planning-prompt.ts';

/** A plan that fits the coordinator's schema: from the goal's markers, else from the listed files, else from the goal alone. */
export function toPlan(prompt: PlanningPrompt): { approach: string; tasks: object[] } {
  const markers = parsePlanMarkers(prompt);
  const marked = planMarked(markers, prompt);
  const found = planFolder(prompt);
  const natural = found.length > 0 ? found : planBlind(prompt);
  const tasks = marked ?? keepFirst(natural, prompt.limits.maxTasks - markers.sonnet);
  return { approach: toApproach(prompt), tasks: applyMarkers(tasks, markers, prompt.goal).map(withoutNulls) };
}

/** Leaves null fields out: the plan's schema may not allow null. */
function withoutNulls(task: DraftTask): object {
  return Object.fromEntries(Object.entries(task).filter(([, value]) => value !== null));
}

function toApproach({ files, archive, failed }: PlanningPrompt): string {
  const where = files.length === 0 ? 'Look at what is there' : `Look at the ${files.length} files that were listed`;
  const known =
    archive === null || archive.includes('NOT IN ARCHIVE') ? '' : ' What the archive knows is not asked again.';
  const again = failed.length === 0 ? '' : ` ${failed.length} tasks failed before.`;
  return `${where}: small independent tasks first, then what they found together.${known}${again} (simulated model)`;
}

import { toWords } from '../archive/word-overlap.ts';
import { type DraftTask, draftTask } from './draft-task.ts';
import type { PlanningPrompt } from './planning-prompt.ts';

/** General tasks for a goal without a list of files: about the workspace if there is one, else about the archive alone. */
export function planBlind({ goal, workspace }: PlanningPrompt): DraftTask[] {
  const topic = toWords(goal).slice(0, 6).join(' ') || 'the work so far';
  const inFolder =
    workspace === null
      ? []
      : [
          draftTask('list', 'search', 'List the files matching **/*'),
          draftTask('describe', 'docs', 'Describe what is in the workspace.'),
          draftTask('todos', 'search', 'Count the TODO comments in all files.'),
        ];
  const known = [
    draftTask('known', 'analysis', `What do earlier findings say about "${topic}"?`),
    draftTask('archive', 'analysis', `Ask the archive: what is known about ${topic}?`),
  ];
  const first = [...inFolder, ...known];
  const together = draftTask('together', 'analysis', `What do the findings of this mission say about "${topic}"?`, {
    depends_on: first.map(({ id }) => id),
  });
  return [...first, together];
}

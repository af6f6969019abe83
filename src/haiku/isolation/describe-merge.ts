import type { MergeConflict } from '../../patches/merge/types.ts';
import { toOneLine } from '../../text/one-line.ts';

const MOST_NAMES = 20;
const MOST_PATHS = 50;
const LONGEST_NAME = 200;

/** Tells the model what it begins with besides the person's commit. */
export function describeMerge(head: string, patches: readonly string[]): string {
  const rest = patches.length - MOST_NAMES;
  const named = [...patches.slice(0, MOST_NAMES), ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
  return `You work in a tree of your own, from commit ${head} with the changes of ${named}, which are not in it; uncommitted changes of the person are not in it either`;
}

/** Tells the model which changes do not fit together, and what it must do. @returns null: all fit */
export function describeConflicts(conflicts: readonly MergeConflict[]): string | null {
  if (conflicts.length === 0) return null;
  const lines = conflicts.map(({ findingId, subject, paths }) => {
    const named = paths.slice(0, MOST_PATHS).map(({ path, kind }) => {
      const name = toOneLine(path, LONGEST_NAME);
      return kind === 'lines' ? name : `${name} (deleted by one side, changed by the other: kept as changed)`;
    });
    const more = paths.length > MOST_PATHS ? [`${paths.length - MOST_PATHS} more`] : [];
    return `- ${findingId} "${toOneLine(subject, LONGEST_NAME)}": ${[...named, ...more].join(', ')}`;
  });
  const text = [
    'These changes do not fit beside the others that your tree begins with. Both sides are in the files, between the markers <<<<<<<, ======= and >>>>>>>.',
    'Resolve them first, so that what both sides intend holds, and leave no marker: one that is left fails the task. Then do your task.',
    ...lines,
  ].join('\n');
  return `<conflicts>\n${text.replaceAll(/<(?=\/)/g, '&lt;')}\n</conflicts>`;
}

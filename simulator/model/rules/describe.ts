import { describeFacts, type FileFacts, plural, toFileFacts } from '../task/file-facts.ts';
import { parseGlob } from '../task/grep-output.ts';
import type { Answer, Call, RuleMatch, Rule, TaskView } from '../task/types.ts';
import { type FileText, readFiles } from '../task/reading.ts';
import { findStep } from '../task/steps.ts';

const NAMED_FILES = 12; // most files to read of those that the task names
const FOUND_FILES = 3; // most files to read of those that a glob found

/** Describes files: those that the task names, or the first of a folder. Matches every task. */
export const describe: Rule = (view) => describing(view, view.files.slice(0, NAMED_FILES));

/** @param named files to read; empty: files of the task's folder or pattern, else of the whole workspace */
export function describing(view: TaskView, named: readonly string[]): RuleMatch {
  const patterns = named.length > 0 || !view.tools.has('glob') ? [] : toPatterns(view);
  const listed = patterns.map((pattern) => ({ pattern, step: findStep(view.steps, 'glob', { pattern }) }));
  const unlisted = listed.filter(({ step }) => step === undefined);
  const found = [...new Set(listed.flatMap(({ step }) => (step === undefined ? [] : parseGlob(step))))];
  const chosen = named.length > 0 ? named : chooseFiles(found);
  const { calls, files } = readFiles(view, chosen);
  return {
    next(): Call[] {
      if (unlisted.length > 0) return unlisted.map(({ pattern }) => ({ name: 'glob', input: { pattern } }));
      return calls;
    },
    answer: () => report(view, patterns, found, files),
  };
}

/** Glob patterns of the task's patterns and folders; everything if it names none. */
export function toPatterns({ globs, folders }: TaskView): string[] {
  if (globs.length > 0) return globs.slice(0, 4);
  return folders.length > 0 ? folders.slice(0, 4).map((folder) => `${folder}/**/*`) : ['**/*'];
}

/** Read-mes first, then package files, then by path. */
function chooseFiles(paths: readonly string[]): string[] {
  const rank = (path: string): number =>
    /(?:^|\/)readme\b/i.test(path) ? 0 : /(?:^|\/)package\.json$/.test(path) ? 1 : 2;
  const readable = paths.filter(
    (path) => !/\.(?:png|jpe?g|gif|ico|woff2?|zip|gz|pdf|lock)$|package-lock\.json$/i.test(path),
  );
  return readable.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)).slice(0, FOUND_FILES);
}

function report(
  view: TaskView,
  patterns: readonly string[],
  found: readonly string[],
  files: readonly FileText[],
): Answer {
  const facts = files.filter((file) => file.error === null).map(toFileFacts);
  const refused = files.filter((file) => file.error !== null);
  const lines = facts.map(describeFacts);
  if (patterns.length > 0) lines.unshift(describeListing(patterns, found, facts.length));
  else if (facts.length > 1) lines.unshift(`${plural(facts.length, 'file')}, ${plural(total(facts), 'line')} in all.`);
  lines.push(...refused.map((file) => `${file.path} could not be read: ${file.error}`));
  if (lines.length === 0) lines.push(describeNothing(view));
  return { text: lines.join('\n'), values: toValues(facts, found, lines) };
}

function describeListing(patterns: readonly string[], found: readonly string[], read: number): string {
  const where = patterns.map((pattern) => `\`${pattern}\``).join(', ');
  if (found.length === 0) return `Nothing matches ${where}.`;
  const counts = new Map<string, number>();
  for (const path of found) {
    const extension = /\.[^./]+$/.exec(path)?.[0] ?? 'no extension';
    counts.set(extension, (counts.get(extension) ?? 0) + 1);
  }
  const kinds = [...counts].toSorted((a, b) => b[1] - a[1]).slice(0, 5);
  return `${plural(found.length, 'file')} match ${where} (${kinds.map(([kind, count]) => `${count} ${kind}`).join(', ')}); ${read} read.`;
}

/** The answer for a task without files: about its data, else about its tool calls. */
function describeNothing({ task, steps, tools }: TaskView): string {
  if (task.data !== undefined) {
    const { data } = task;
    if (Array.isArray(data)) return `The data is a list of ${plural(data.length, 'item')}.`;
    if (typeof data === 'object' && data !== null)
      return `The data is an object with the keys ${Object.keys(data).join(', ')}.`;
    return `The data is ${JSON.stringify(data)}.`;
  }
  if (tools.size === 0) return 'No tool was offered, so nothing could be looked at.';
  return `No file was named or found; ${plural(steps.length, 'tool call')} made.`;
}

function total(facts: readonly FileFacts[]): number {
  return facts.reduce((sum, one) => sum + one.lines, 0);
}

function toValues(facts: readonly FileFacts[], found: readonly string[], lines: readonly string[]): Answer['values'] {
  const first = facts[0];
  return {
    ...first,
    ...(first === undefined ? {} : { file: first.path, title: first.heading ?? first.docstring ?? first.path }),
    lines: total(facts),
    exports: facts.flatMap((one) => one.exports),
    todos: facts.reduce((sum, one) => sum + one.todos, 0),
    files: found.length > 0 ? found : facts.map((one) => one.path),
    count: found.length > 0 ? found.length : facts.length,
    summary: lines.join(' '),
    items: facts.map((one) => ({ ...one, file: one.path, name: one.path, summary: describeFacts(one) })),
  };
}

import { plural } from '../task/file-facts.ts';
import { escapePattern, parseGlob } from '../task/grep-output.ts';
import type { Call, RuleMatch, Rule, TaskView } from '../task/types.ts';
import { readFiles } from '../task/reading.ts';
import { findStep } from '../task/steps.ts';
import { toPatterns } from './describe.ts';
import { findSubject, grepping, list, toSearchValues } from './search.ts';

const MAX_FILES = 20;

/** Counts lines, files, or occurrences of a text. */
export const count: Rule = (view) => {
  if (!/\b(?:count|how many|number of)\b/.test(view.verbs)) return null;
  const isAboutText =
    /\b(?:containing|contain|with|matching|that (?:mention|match))\b/.test(view.verbs) || view.quoted.length > 0;
  if (/\blines?\b/.test(view.verbs) && !isAboutText) return countLinesOf(view);
  if (/\bfiles\b/.test(view.verbs) && !isAboutText && !/\btodos?\b/.test(view.verbs)) return list(view);
  const subject = findSubject(view);
  return subject === null || !view.tools.has('grep') ? null : countPlaces(view, subject);
};

function countPlaces(view: TaskView, subject: string): RuleMatch {
  const { next, matches, note } = grepping(view, subject);
  return {
    next,
    answer: () => {
      const exact = new RegExp(escapePattern(subject), 'g');
      const occurrences = matches.reduce((sum, { text }) => sum + (text.match(exact)?.length ?? 1), 0);
      const perFile = new Map<string, number>();
      for (const { path } of matches) perFile.set(path, (perFile.get(path) ?? 0) + 1);
      const lines = [...perFile].toSorted((a, b) => b[1] - a[1]).slice(0, 20);
      const head = `\`${subject}\` occurs ${plural(occurrences, 'time')} on ${plural(matches.length, 'line')} in ${plural(perFile.size, 'file')}.${note}`;
      const text = [head, ...lines.map(([path, found]) => `- ${path}: ${plural(found, 'line')}`)].join('\n');
      const places = matches.map(({ path, line }) => `${path}:${line}`);
      return { text, values: { ...toSearchValues(subject, matches, places, head), count: occurrences, occurrences } };
    },
  };
}

function countLinesOf(view: TaskView): RuleMatch {
  const patterns = view.files.length > 0 || !view.tools.has('glob') ? [] : toPatterns(view);
  const listings = patterns.map((pattern) => ({ pattern, step: findStep(view.steps, 'glob', { pattern }) }));
  const unlisted: Call[] = listings.flatMap(({ pattern, step }) =>
    step === undefined ? [{ name: 'glob', input: { pattern } }] : [],
  );
  const found = [...new Set(listings.flatMap(({ step }) => (step === undefined ? [] : parseGlob(step))))];
  const all = view.files.length > 0 ? view.files : found;
  const { calls, files } = readFiles(view, all.slice(0, MAX_FILES));
  return {
    next: () => (unlisted.length > 0 ? unlisted : calls),
    answer: () => {
      const read = files.filter((file) => file.error === null);
      const lines = read.reduce((sum, file) => sum + file.lines, 0);
      const isWhole = read.every((file) => file.isComplete);
      const head = `${isWhole ? '' : 'At least '}${plural(lines, 'line')} in ${plural(read.length, 'file')}${all.length > MAX_FILES ? ` (the first ${MAX_FILES} of ${all.length})` : ''}.`;
      const each = files.map((file) => `- ${file.path}: ${file.error ?? plural(file.lines, 'line')}`);
      const first = read[0];
      const items = read.map((file) => ({ path: file.path, file: file.path, lines: file.lines, count: file.lines }));
      const named = first === undefined ? {} : { path: first.path, file: first.path };
      const values = {
        ...named,
        lines,
        count: lines,
        total: lines,
        files: read.map((file) => file.path),
        items,
        summary: head,
      };
      return { text: [head, ...each].join('\n'), values };
    },
  };
}

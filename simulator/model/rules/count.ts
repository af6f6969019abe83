import { plural } from '../task/file-facts.ts';
import { escapePattern, parseGlob } from '../task/grep-output.ts';
import type { Call, Intent, IntentRule, Scene } from '../task/types.ts';
import { readFiles } from '../task/reading.ts';
import { findStep } from '../task/steps.ts';
import { toPatterns } from './describe.ts';
import { findSubject, grepping, list, toSearchValues } from './search.ts';

const MAX_FILES = 20;

/** Counts lines, files, or the places of a text. */
export const count: IntentRule = (scene) => {
  if (!/\b(?:count|how many|number of)\b/.test(scene.verbs)) return null;
  const isAboutText =
    /\b(?:containing|contain|with|matching|that (?:mention|match))\b/.test(scene.verbs) || scene.quoted.length > 0;
  if (/\blines?\b/.test(scene.verbs) && !isAboutText) return countLinesOf(scene);
  if (/\bfiles\b/.test(scene.verbs) && !isAboutText && !/\btodos?\b/.test(scene.verbs)) return list(scene);
  const subject = findSubject(scene);
  return subject === null || !scene.tools.has('grep') ? null : countPlaces(scene, subject);
};

function countPlaces(scene: Scene, subject: string): Intent {
  const { next, matches, note } = grepping(scene, subject);
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

function countLinesOf(scene: Scene): Intent {
  const patterns = scene.files.length > 0 || !scene.tools.has('glob') ? [] : toPatterns(scene);
  const listings = patterns.map((pattern) => ({ pattern, step: findStep(scene.steps, 'glob', { pattern }) }));
  const unlisted: Call[] = listings.flatMap(({ pattern, step }) =>
    step === undefined ? [{ name: 'glob', input: { pattern } }] : [],
  );
  const found = [...new Set(listings.flatMap(({ step }) => (step === undefined ? [] : parseGlob(step))))];
  const all = scene.files.length > 0 ? scene.files : found;
  const { calls, files } = readFiles(scene, all.slice(0, MAX_FILES));
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

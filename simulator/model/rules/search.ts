import { plural } from '../task/file-facts.ts';
import { escapePattern, type GrepMatch, parseGlob, parseGrep } from '../task/grep-output.ts';
import type { Answer, Call, RuleMatch, Rule, TaskView } from '../task/types.ts';
import { firstLine } from '../task/reading.ts';
import { findStep, type Step } from '../task/steps.ts';
import { toPatterns } from './describe.ts';

const SHOWN = 20;
const SUBJECT =
  /\b(?:find|search(?:\s+for)?|grep(?:\s+for)?|locate|look\s+for|where\s+(?:is|are)|occurrences\s+of|mentions?\s+of|uses?\s+of|usages?\s+of|calls?\s+(?:to|of)|references?\s+to|how\s+many|count|(?:export|import|use|mention|contain|define|call|reference)s?)\s+(?:(?:all|every|each|the|any|places|where|of|an?|function|class|constant|variable|definition|word|text|string|named|called)\s+)*(.+?)(?=\s+(?:in|under|within|across|from|is|are|do|does|and|occur|appear)\b|[.?!,;:]|$)/i;
const MARKER = /\b(?:TODO|FIXME|HACK|XXX)s?\b/;

const SEARCHES =
  /\b(?:find|search|grep|locate|look for|where (?:is|are)|occurrences|mentions|usages)\b|\bfiles\b.*\b(?:export|import|use|mention|contain|define|call|reference)s?\b/;
const DEFINITION = String.raw`\b(function\*?|class|const|let|var|interface|type|enum|def|local function)\s+`;

/** Finds a text or a name; answers with `path:line` of each match. */
export const search: Rule = (view) => {
  if (!SEARCHES.test(view.verbs)) return null;
  const subject = findSubject(view);
  if (subject === null || !view.tools.has('grep')) return null;
  const isName = /^[\w$]+$/.test(subject);
  const isDefinition = isName && /\b(?:defin\w+|declar\w+)\b/.test(view.verbs);
  const { next, matches, note } = grepping(view, subject, isDefinition ? `${DEFINITION}${subject}\\b` : undefined);
  return {
    next,
    answer: () => {
      const places = matches.map(({ path, line }) => `${path}:${line}`);
      const shown = matches
        .slice(0, SHOWN)
        .map(({ path, line, text }) => `- ${path}:${line}: ${text.trim().slice(0, 160)}`);
      if (matches.length > SHOWN) shown.push(`- and ${matches.length - SHOWN} more`);
      const inFiles = plural(new Set(matches.map(({ path }) => path)).size, 'file');
      const head =
        matches.length === 0
          ? `\`${subject}\` was not found${isDefinition ? ' as a definition' : ''}`
          : `\`${subject}\` is ${isDefinition ? 'defined ' : ''}on ${plural(matches.length, 'line')} in ${inFiles}`;
      const text = [`${head}.${note}`, ...shown].join('\n');
      return { text, values: toSearchValues(subject, matches, places, text) };
    },
  };
};

/** Lists the files of a folder, pattern or extension. */
export const list: Rule = (view) => {
  const asksFiles = /\b(?:list|which|name|show|what|how many|count)\b.*\bfiles\b|\blist\b/.test(view.verbs);
  if (!asksFiles || /\blines?\b/.test(view.verbs) || !view.tools.has('glob')) return null;
  const extension = /(?<![\w/])(\.[a-z]{1,5})\s+files\b/i.exec(view.text)?.[1];
  const under = view.folders[0] === undefined ? '' : `${view.folders[0]}/`;
  const patterns = view.globs.length === 0 && extension !== undefined ? [`${under}**/*${extension}`] : toPatterns(view);
  const steps = patterns.map((pattern) => ({ pattern, step: findStep(view.steps, 'glob', { pattern }) }));
  return {
    next: () =>
      steps.filter(({ step }) => step === undefined).map(({ pattern }) => ({ name: 'glob', input: { pattern } })),
    answer: (): Answer => {
      const found = [...new Set(steps.flatMap(({ step }) => (step === undefined ? [] : parseGlob(step))))];
      const problems = steps.flatMap(({ step }) => (step?.isError ? [` ${firstLine(step)}`] : []));
      const head = `${plural(found.length, 'file')} match ${patterns.join(', ')}.${problems.join('')}`;
      const text = [head, ...found.slice(0, 100).map((path) => `- ${path}`)].join('\n');
      return {
        text,
        values: { files: found, paths: found, items: found, count: found.length, total: found.length, summary: head },
      };
    },
  };
};

/** The text to search for: a quoted text, else a word such as TODO, else the words after the verb. */
export function findSubject({ text, quoted, files, verbs }: TaskView): string | null {
  const quote = quoted.find((one) => !files.includes(one) && !one.endsWith('/'));
  if (quote !== undefined) return quote;
  const marker = MARKER.exec(text)?.[0];
  if (marker !== undefined) return marker.replace(/s$/, '');
  const words = SUBJECT.exec(text)?.[1]?.trim();
  if (words === undefined || words === '' || verbs.trim() === '') return null;
  const identifier = words.split(/\s+/).find((word) => /[a-z][A-Z]|_|^[A-Z]{2,}|\(\)$/.test(word));
  return (identifier ?? words).replace(/\(\)$/, '');
}

interface Grepping {
  next: RuleMatch['next'];
  matches: GrepMatch[];
  /** Why the matches may be incomplete, or ''. */
  note: string;
}

/** Searches the files or folders that the task names, or the whole workspace. */
export function grepping(view: TaskView, subject: string, pattern = escapePattern(subject)): Grepping {
  const where = view.files.length > 0 ? view.files.slice(0, 12) : view.folders.slice(0, 4);
  const inputs = where.length > 0 ? where.map((path) => ({ pattern, path })) : [{ pattern }];
  const missing: Call[] = [];
  const done: Step[] = [];
  for (const input of inputs) {
    const step = findStep(view.steps, 'grep', input);
    if (step === undefined) missing.push({ name: 'grep', input });
    else done.push(step);
  }
  const parsed = done.map(parseGrep);
  const notes = done.flatMap((step) => (step.isError ? [` grep failed: ${firstLine(step)}`] : []));
  if (parsed.some(({ isCut }) => isCut)) notes.push(' There are more: the result was cut.');
  return { next: () => missing, matches: parsed.flatMap(({ matches }) => matches), note: notes.join('') };
}

export function toSearchValues(
  subject: string,
  matches: readonly GrepMatch[],
  places: readonly string[],
  summary: string,
): Answer['values'] {
  const paths = [...new Set(matches.map(({ path }) => path))];
  const first = matches[0];
  return {
    query: subject,
    pattern: subject,
    found: matches.length > 0,
    count: matches.length,
    occurrences: matches.length,
    matches: matches.length,
    total: matches.length,
    files: paths,
    paths,
    locations: places,
    places,
    items: matches.map(({ path, line, text }) => ({ path, file: path, line, text: text.trim() })),
    ...(first === undefined ? {} : { path: first.path, file: first.path, line: first.line }),
    summary,
  };
}

import { plural } from '../task/file-facts.ts';
import type { RuleMatch, Rule, TaskView } from '../task/types.ts';
import { firstLine } from '../task/reading.ts';
import { findStep, type Step } from '../task/steps.ts';

const READ = 3;
const READ_OF_FOUNDATION = 10; // most ids that the tool takes

/** Searches earlier findings and cites those it reads. */
export const findings: Rule = (view) => {
  if (
    !view.tools.has('findings') ||
    !/\bfindings?\b|\b(?:already know|known so far|found (?:earlier|before))\b/.test(view.verbs)
  )
    return null;
  return view.buildsOn.length > 0 ? readFoundation(view) : searchFindings(view);
};

/** Reads the findings that the task builds on and summarises each. */
function readFoundation({ steps, buildsOn }: TaskView): RuleMatch {
  const input = { action: 'get', ids: buildsOn.slice(0, READ_OF_FOUNDATION) };
  const read = findStep(steps, 'findings', input);
  return {
    next: () => (read === undefined ? [{ name: 'findings', input }] : []),
    answer() {
      const shown = read === undefined || read.isError ? [] : parseFindings(read.content);
      const [first] = shown;
      const head =
        first === undefined
          ? `None of ${plural(buildsOn.length, 'finding')} could be read.`
          : `${shown.length} of ${plural(buildsOn.length, 'finding')} read; the first says: ${first.summary.slice(0, 120)}`;
      const said = shown.map(({ id, summary }) => `- ${summary.slice(0, 160)} [${id}]`);
      const text = [head, ...said].join('\n');
      const citations = shown.map(({ id }) => id);
      return { text, values: { count: shown.length, citations, sources: citations, items: said, summary: text } };
    },
  };
}

/** Parses the result of `findings get`: `id: {…}` of each finding, separated by blank lines. */
function parseFindings(content: string): { id: string; summary: string }[] {
  return content.split('\n\n').flatMap((part) => {
    const [, id = '', json = ''] = /^([A-Za-z0-9._-]+): (\{[\s\S]*)$/.exec(part) ?? [];
    const summary = /"summary":"((?:[^"\\]|\\.)*)"/.exec(json)?.[1];
    return id === '' ? [] : [{ id, summary: summary === undefined ? 'It says nothing.' : toLine(summary) }];
  });
}

function toLine(jsonText: string): string {
  const text = String(JSON.parse(`"${jsonText}"`));
  return text
    .replaceAll(/\s*\(simulated model\)/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** Searches the findings for what the task is about. Also serves tasks without a workspace. */
export function searchFindings(view: TaskView): ReturnType<Rule> {
  const query = findQuery(view);
  const found = findStep(view.steps, 'findings', { action: 'search', query });
  const ids = found === undefined || found.isError ? [] : findIds(found.content).slice(0, READ);
  const read = view.steps.find((step) => step.name === 'findings' && step.input.action === 'get');
  return {
    next() {
      if (found === undefined) return [{ name: 'findings', input: { action: 'search', query } }];
      return ids.length > 0 && read === undefined ? [{ name: 'findings', input: { action: 'get', ids } }] : [];
    },
    answer() {
      const cited = ids.map((id) => `[${id}]`).join(' ');
      const text =
        found?.isError === true
          ? `The findings could not be searched: ${firstLine(found)}`
          : ids.length === 0
            ? `No finding says anything about “${query}”.`
            : `${plural(ids.length, 'finding')} on “${query}”: ${cited}\n${toExcerpt(read ?? found)}`;
      return {
        text,
        values: {
          query,
          found: ids.length > 0,
          count: ids.length,
          citations: ids,
          sources: ids,
          ids,
          items: ids,
          summary: text,
        },
      };
    },
  };
}

function findQuery({ text, quoted }: TaskView): string {
  const about = /\b(?:about|on|regarding|concerning|of)\s+(.+?)[.?!]*$/is.exec(text)?.[1];
  return (quoted[0] ?? about ?? text).trim().slice(0, 200);
}

/** Ids of a listing with one finding a line: `id (time): summary`. */
function findIds(content: string): string[] {
  const listed = [...content.matchAll(/^([A-Za-z0-9._-]+) \(\d{4}-[^)]*\):/gm)].map((match) => match[1] ?? '');
  const mentioned = content.match(/\b(?:finding|archive)_[A-Za-z0-9._-]*[A-Za-z0-9]/g) ?? [];
  return [...new Set(listed.length > 0 ? listed : mentioned)];
}

function toExcerpt(step: Step | undefined): string {
  return (step?.content ?? '').trim().slice(0, 1_500);
}

import { plural } from '../file-facts.ts';
import type { IntentRule, Scene } from '../intent.ts';
import { firstLine } from '../reading.ts';
import { findStep, type Step } from '../steps.ts';

const READ = 3;

/** Asks what the fleet found earlier and answers with the ids it read. */
export const findings: IntentRule = (scene) => {
  if (
    !scene.tools.has('findings') ||
    !/\bfindings?\b|\b(?:already know|known so far|found (?:earlier|before))\b/.test(scene.verbs)
  )
    return null;
  return searchFindings(scene);
};

/** Also the way to look around where a task has no workspace. */
export function searchFindings(scene: Scene): ReturnType<IntentRule> {
  const query = findQuery(scene);
  const found = findStep(scene.steps, 'findings', { action: 'search', query });
  const ids = found === undefined || found.isError ? [] : findIds(found.content).slice(0, READ);
  const read = scene.steps.find((step) => step.name === 'findings' && step.input.action === 'get');
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

function findQuery({ text, quoted }: Scene): string {
  const about = /\b(?:about|on|regarding|concerning|of)\s+(.+?)[.?!]*$/is.exec(text)?.[1];
  return (quoted[0] ?? about ?? text).trim().slice(0, 200);
}

/** Ids of a listing, one a line: `id (time): summary`. */
function findIds(content: string): string[] {
  const listed = [...content.matchAll(/^([A-Za-z0-9._-]+) \(\d{4}-[^)]*\):/gm)].map((match) => match[1] ?? '');
  const mentioned = content.match(/\b(?:finding|archive)_[A-Za-z0-9._-]*[A-Za-z0-9]/g) ?? [];
  return [...new Set(listed.length > 0 ? listed : mentioned)];
}

function toExcerpt(step: Step | undefined): string {
  return (step?.content ?? '').trim().slice(0, 1_500);
}

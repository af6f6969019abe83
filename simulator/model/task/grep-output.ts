import type { Step } from './steps.ts';

export interface GrepMatch {
  path: string;
  line: number;
  text: string;
}

/** Notes of the tools are lines in brackets, at the end; this one says that not all is shown. */
const MORE = /^\[(?:more than |at least |stopped |counting |cut\b|[\d,]+ more )/m;

/** Matches of a grep result: `path:line:text`. */
export function parseGrep(step: Step): { matches: GrepMatch[]; isCut: boolean } {
  const matches: GrepMatch[] = [];
  if (step.isError || step.isLost || /^no matches\b/i.test(step.content)) return { matches, isCut: false };
  for (const line of step.content.split('\n')) {
    const found = /^("(?:[^"\\]|\\.)*"|[^[].*?):(\d+):(.*)$/.exec(line);
    if (found === null) continue;
    matches.push({ path: toPath(found[1] ?? ''), line: Number(found[2]), text: found[3] ?? '' });
  }
  return { matches, isCut: isCut(step) };
}

/** Paths of a glob result, sorted; its lines are `bytes path`. */
export function parseGlob(step: Step): string[] {
  if (step.isError || step.isLost || /^no (?:matches|files)\b/i.test(step.content)) return [];
  const found = step.content.split('\n').map((line) => /^\d+ (.+)$/.exec(line)?.[1]);
  return found.flatMap((path) => (path === undefined ? [] : [toPath(path)])).sort();
}

/** Whether a result says that it does not show all. */
export function isCut({ content }: Step): boolean {
  return MORE.test(content);
}

/** A name that could be misread is shown as a JSON string. */
function toPath(shown: string): string {
  if (!shown.startsWith('"')) return shown;
  try {
    return String(JSON.parse(shown));
  } catch {
    return shown;
  }
}

export function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

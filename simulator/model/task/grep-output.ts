import type { Step } from './steps.ts';

export interface GrepMatch {
  path: string;
  line: number;
  text: string;
}

/** Matches of a grep result: `path:line:text`, or `line:text` from a search in one file. */
export function parseGrep(step: Step, searched: string | null): { matches: GrepMatch[]; isCut: boolean } {
  const matches: GrepMatch[] = [];
  if (step.isError || step.isLost || /^no matches\b/i.test(step.content)) return { matches, isCut: false };
  for (const line of step.content.split('\n')) {
    const full = /^(.+?):(\d+):(.*)$/.exec(line);
    const short = /^(\d+):(.*)$/.exec(line);
    if (short !== null && searched !== null) {
      matches.push({ path: searched, line: Number(short[1]), text: short[2] ?? '' });
    } else if (full !== null) {
      matches.push({ path: (full[1] ?? '').replace(/^\.\//, ''), line: Number(full[2]), text: full[3] ?? '' });
    }
  }
  return { matches, isCut: /\[[^\]\n]*\b(?:cut|truncated)\b[^\]\n]*\]\s*$/i.test(step.content) };
}

/** Paths of a glob result, sorted. */
export function parseGlob(step: Step): string[] {
  if (step.isError || step.isLost || /^no (?:matches|files)\b/i.test(step.content)) return [];
  const lines = step.content.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !/^\[cut\b/.test(line)).sort();
}

export function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

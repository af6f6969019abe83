import { posix } from 'node:path';
import { toWords } from '../archive/word-overlap.ts';
import { type DraftTask, draftTask } from './draft-task.ts';
import type { PlanningPrompt } from './planning-prompt.ts';

const READABLE =
  /\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|c|h|cc|cpp|cs|php|sh|sql|lua|md|txt|rst|html|css|json|ya?ml|toml|csv)$/i;
const PASSED_OVER = /(?:^|\/)(?:\.[^/]+|node_modules|dist|build|coverage|vendor)\/|(?:^|\/)\.[^/]+$|-lock\.|\.lock$/;
const CODE = /\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|c|h|cc|cpp|cs|php|lua)$/i;
const DESCRIBED = 6;
/** A folder's path that the simulated worker recognises in a sentence. */
const PLAIN = /^(?!\.$)[\w@./-]+$/;

type File = PlanningPrompt['files'][number];

/** Tasks about the files that a survey listed; files that share words with the goal come first. Empty without readable files. */
export function planFolder({ files, goal }: PlanningPrompt): DraftTask[] {
  const readable = files.filter(({ path }) => READABLE.test(path) && !PASSED_OVER.test(path));
  if (readable.length === 0) return [];
  const words = toWords(goal);
  const ranked = readable.toSorted((a, b) => score(b, words) - score(a, words) || compare(a, b));
  const described = spreadOverFolders(ranked, words).slice(0, DESCRIBED);
  const folders = mostCommon(
    ranked.map(({ path }) => posix.dirname(path)).filter((folder) => PLAIN.test(folder)),
  ).slice(0, 3);
  const extensions = mostCommon(ranked.map(({ path }) => posix.extname(path))).slice(0, 3);
  const topic = described[0]?.path ?? 'this folder'; // the task `describe` has a finding about it by then
  const independent = [
    draftTask('describe', 'docs', 'Summarise {item}: what is it for, and what does it define?', {
      for_each: described.map(({ path }) => path),
      files: ['{item}'],
    }),
    draftTask('todos', 'search', 'Count the TODO comments in all files.'),
    draftTask('search', 'search', `Find where "${toSearchedName(ranked)}" is mentioned.`),
    draftTask('extensions', 'analysis', 'How many files match **/*{item}?', { for_each: extensions }),
    ...(folders.length === 0
      ? []
      : [draftTask('folders', 'docs', 'Describe the folder {item}/', { for_each: folders })]),
  ];
  return [
    ...independent,
    draftTask('archive', 'analysis', `Ask the archive: what is known about ${topic}?`, { depends_on: ['describe'] }),
    draftTask('together', 'analysis', `What do earlier findings say about ${topic}?`, {
      depends_on: independent.map(({ id }) => id),
    }),
  ];
}

/** Files that share words with the goal score highest, then read-mes, then entry files, then other code. */
function score({ path }: File, words: readonly string[]): number {
  const named = countShared(path, words);
  const kind = /(?:^|\/)readme\b/i.test(path) ? 3 : CODE.test(path) ? 1 : 0;
  return named * 10 + kind + (/(?:^|\/)(?:main|index|app)\.\w+$/.test(path) ? 1 : 0);
}

/** Compares whole words: `tea` is not in `src/team.ts`. */
function countShared(path: string, words: readonly string[]): number {
  const own = new Set(toWords(path.replaceAll(/[_-]/g, ' ')));
  return words.filter((word) => own.has(word)).length;
}

/** Larger files first. */
function compare(a: File, b: File): number {
  return b.bytes - a.bytes || (a.path < b.path ? -1 : 1);
}

/** Files that share words with the goal, in their order; then one file of each folder; then the rest. */
function spreadOverFolders(ranked: readonly File[], words: readonly string[]): File[] {
  const named = ranked.filter(({ path }) => countShared(path, words) > 0);
  const others = ranked.filter((file) => !named.includes(file));
  const seen = new Set<string>();
  const fresh = others.filter(({ path }) => {
    const folder = posix.dirname(path);
    return !seen.has(folder) && seen.add(folder);
  });
  return [...named, ...fresh, ...others.filter((file) => !fresh.includes(file))];
}

function mostCommon(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1]).map(([name]) => name);
}

/** The name, without extension, of the first code file: other files probably mention it. */
function toSearchedName(ranked: readonly File[]): string {
  const file = ranked.find(({ path }) => CODE.test(path)) ?? ranked[0];
  return posix.basename(file?.path ?? 'the').replace(/\.[^.]+$/, '');
}

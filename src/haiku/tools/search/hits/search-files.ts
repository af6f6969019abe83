import { createHitCollector, NO_HITS, type Hits } from './collect-hits.ts';
import { isOutOfMemory } from '../engine/engine.ts';
import { readErrors } from '../engine/engine-words.ts';
import { listFiles } from '../listing/list-files.ts';
import { isShown, toGlobOptions, withScope, type Scope, type SearchContext } from '../engine/scope.ts';
import { showPath } from '../engine/show-path.ts';
import { findOddFiles, type OddFiles } from './odd-files.ts';
import { searchOnce, type Query } from './search-once.ts';

export interface SearchRequest extends Query {
  scope: Scope;
  /** Whether the scope's target is a file. */
  isFile: boolean;
  /** Null: all files. `*.ts` is meant at any depth, and `!` leaves out. */
  glob: string | null;
  timeoutMs: number;
}

export interface SearchResult extends Hits {
  isTimedOut: boolean;
  /** Files with hits that were taken for Windows-1252. */
  legacy: string[];
}

/** What all runs of one search share. */
interface Plan {
  request: SearchRequest;
  globs: string[];
  odd: OddFiles;
  isWanted(path: string): boolean;
  /** Lists what a folder's search looks at, without the glob. */
  list(options: readonly string[]): Promise<string[]>;
  leftMs(): number;
}

/** A search that ran out of memory is made again without files of more bytes: only a line that long needs so much. */
const LARGE = '64M';

/** @throws ToolRefusal for a bad pattern or glob; the signal's reason */
export async function searchFiles(request: SearchRequest, context: SearchContext): Promise<SearchResult> {
  const plan = await makePlan(request, context);
  const found = await search(plan, [], context);
  if (found !== null) return found;
  if (request.isFile) return toNothing(`${showPath(request.scope.target)} (a line is longer than a search's memory)`);
  const limit = `--max-filesize=${LARGE}`;
  const small = new Set(await plan.list([limit]));
  const large = (await plan.list([])).filter((path) => !small.has(path) && plan.isWanted(path));
  const rest = (await search(plan, [limit], context)) ?? toNothing(`all (a line is longer than a search's memory)`);
  return { ...rest, unread: [...rest.unread, ...large.map((path) => `${showPath(path)} (more than ${LARGE})`)] };
}

async function makePlan(request: SearchRequest, context: SearchContext): Promise<Plan> {
  const { scope, isFile, glob } = request;
  const endsAt = performance.now() + request.timeoutMs;
  const leftMs = (): number => Math.max(1, endsAt - performance.now());
  const list: Plan['list'] = async (options) =>
    (await listFiles({ ...scope, globs: null, options, timeoutMs: leftMs() }, context)).paths;
  const globs = isFile || glob === null ? null : toSearchGlobs(glob, scope.target);
  // A glob of ripgrep also brings back what .gitignore leaves out, so only files that are listed without it count.
  const visible = globs === null ? null : new Set(await list([]));
  const isWanted: Plan['isWanted'] = (path) => isShown(path, context) && visible?.has(path) !== false;
  const odd = await findOddFiles({ scope, globs: globs ?? [], isWanted, timeoutMs: leftMs() }, context);
  return { request, globs: globs ?? [], odd, isWanted, list, leftMs };
}

/** @returns null: the memory did not suffice */
async function search(plan: Plan, limits: string[], context: SearchContext): Promise<SearchResult | null> {
  const { request, globs, odd, isWanted, leftMs } = plan;
  const legacy = new Set(odd.legacy);
  const collector = createHitCollector(request.hits, context);
  try {
    const source = { encoding: 'utf-8', isWanted: (path: string) => isWanted(path) && !legacy.has(path) } as const;
    const main = await withScope(request.scope, context, async ({ options, at }) => {
      const args = [...limits, ...globs, ...options, ...at];
      return await searchOnce(args, request, { collector, source, timeoutMs: leftMs() }, context);
    });
    if (isOutOfMemory(main)) return null;
    const isOldTimedOut = await searchLegacy(plan, collector, context);
    const hits = await collector.end();
    return {
      ...hits,
      unread: [...hits.unread, ...readErrors(main, context), ...odd.unread],
      legacy: odd.legacy.filter((path) => hits.files.has(path)),
      isTimedOut: odd.isTimedOut || main.isTimedOut || isOldTimedOut,
    };
  } finally {
    await collector.close();
  }
}

/** Searches the files that are no UTF-8. @returns whether the deadline came first */
async function searchLegacy(
  { request, odd, leftMs }: Plan,
  collector: ReturnType<typeof createHitCollector>,
  context: SearchContext,
): Promise<boolean> {
  if (odd.legacy.length === 0) return false;
  const legacy = new Set(odd.legacy);
  const source = { encoding: 'windows-1252', isWanted: (path: string) => legacy.has(path) } as const;
  const args = ['--encoding=windows-1252', '--', ...odd.legacy.map((path) => `./${path}`)];
  return (await searchOnce(args, request, { collector, source, timeoutMs: leftMs() }, context)).isTimedOut;
}

function toNothing(why: string): SearchResult {
  return { ...NO_HITS, unread: [why], legacy: [], isTimedOut: false };
}

function toSearchGlobs(glob: string, folder: string): string[] | null {
  const isExcept = glob.startsWith('!');
  const plain = isExcept ? glob.slice(1) : glob;
  const options = toGlobOptions('grep', /\/./.test(plain) ? plain : `**/${plain}`, folder);
  return isExcept ? (options?.map((option) => option.replace('=', '=!')) ?? ['--glob=!*']) : options;
}

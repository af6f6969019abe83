import { createHitCollector, type HitRequest, type Hits } from './collect-hits.ts';
import { isOutOfMemory, runEngine } from '../engine/engine.ts';
import { readErrors, refusePattern } from '../engine/engine-words.ts';
import { listFiles, type Listing } from '../listing/list-files.ts';
import { readRows, ROW_OPTIONS } from '../engine/rows.ts';
import { isShown, toGlobOptions, withScope, type Scope, type SearchContext } from '../engine/scope.ts';
import { showPath } from '../engine/show-path.ts';

export interface SearchRequest {
  scope: Scope;
  /** Whether the scope's target is a file. */
  isFile: boolean;
  pattern: string;
  /** Null: all files. `*.ts` is meant at any depth, and `!` leaves out. */
  glob: string | null;
  ignoreCase: boolean;
  hits: Omit<HitRequest, 'visible'>;
  timeoutMs: number;
}

export interface SearchResult extends Hits {
  isTimedOut: boolean;
}

/** A search that ran out of memory is made again without files of more bytes: only a line that long needs so much. */
const LARGE = '64M';

/** @throws ToolRefusal for a bad pattern or glob; the signal's reason */
export async function searchFiles(request: SearchRequest, context: SearchContext): Promise<SearchResult> {
  const { scope, isFile, hits: wanted } = request;
  const endsAt = performance.now() + request.timeoutMs;
  const leftMs = (): number => Math.max(1, endsAt - performance.now());
  const globs = isFile || request.glob === null ? null : toSearchGlobs(request.glob, scope.target);
  const list = async (options: string[]): Promise<Listing> =>
    await listFiles({ ...scope, globs: null, options, timeoutMs: leftMs() }, context);
  // A glob of ripgrep also brings back what .gitignore leaves out, so only files that are listed without it count.
  const listing = globs === null ? null : await list([]);
  const visible = listing === null ? null : new Set(listing.paths);
  const isCut = listing?.isWhole === false;
  const search = async (options: string[]): Promise<SearchResult & { isOutOfMemory: boolean }> => {
    const args = [...options, ...toPatternOptions(request), ...(globs ?? [])];
    const found = await searchOnce(args, { scope, hits: { ...wanted, visible }, timeoutMs: leftMs() }, context);
    return { ...found, isTimedOut: found.isTimedOut || isCut };
  };
  const first = await search([]);
  if (!first.isOutOfMemory) return first;
  const limit = `--max-filesize=${LARGE}`;
  if (isFile) return { ...first, unread: [...first.unread, `${showPath(scope.target)} (${TOO_LONG})`] };
  const small = new Set((await list([limit])).paths);
  const large = (listing ?? (await list([]))).paths.filter((path) => !small.has(path) && isShown(path, context));
  const found = await search([limit]);
  return { ...found, unread: [...found.unread, ...large.map((path) => `${showPath(path)} (more than ${LARGE})`)] };
}

const TOO_LONG = 'a line is longer than the memory of a search';

async function searchOnce(
  args: readonly string[],
  request: { scope: Scope; hits: HitRequest; timeoutMs: number },
  context: SearchContext,
): Promise<SearchResult & { isOutOfMemory: boolean }> {
  const { root } = context.workspace;
  const { scope, hits, timeoutMs } = request;
  const collector = createHitCollector(hits, context);
  const read = async (stdout: AsyncIterable<Buffer>): Promise<void> => {
    for await (const rows of readRows(stdout)) if (!(await collector.take(rows))) return;
  };
  try {
    const end = await withScope(scope, context, async ({ options, at }) => {
      const run = { root, signal: context.signal, timeoutMs, read };
      return await runEngine([...ROW_OPTIONS, ...args, ...options, ...at], run);
    });
    refusePattern(end);
    const found = await collector.end();
    const unread = [...found.unread, ...readErrors(end, context)];
    return { ...found, unread, isTimedOut: end.isTimedOut, isOutOfMemory: isOutOfMemory(end) };
  } finally {
    await collector.close();
  }
}

function toPatternOptions({ pattern, ignoreCase, hits }: SearchRequest): string[] {
  return [
    '--crlf',
    '--sort=path',
    '--regex-size-limit=16M',
    '--dfa-size-limit=64M',
    ...(ignoreCase ? ['--ignore-case'] : []),
    ...(hits.output === 'files' ? ['--max-count=1'] : []),
    ...(hits.output === 'count' ? [] : ['--line-buffered']), // so that a search that is stopped has given what it found
    `--regexp=${pattern}`,
  ];
}

function toSearchGlobs(glob: string, folder: string): string[] | null {
  const isExcept = glob.startsWith('!');
  const plain = isExcept ? glob.slice(1) : glob;
  const options = toGlobOptions('grep', /\/./.test(plain) ? plain : `**/${plain}`, folder);
  return isExcept ? (options?.map((option) => option.replace('=', '=!')) ?? ['--glob=!*']) : options;
}

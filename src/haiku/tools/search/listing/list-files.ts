import { ToolRefusal } from '../../tool-refusal.ts';
import { runEngine } from '../engine/engine.ts';
import { readErrors, requireEnd } from '../engine/engine-words.ts';
import { readNames } from '../engine/rows.ts';
import { withScope, type Scope, type SearchContext } from '../engine/scope.ts';
import { showBytes, toName } from '../engine/show-path.ts';

/** Most files of a workspace that are listed. */
const MOST_FILES = 1_000_000;

export interface Listing {
  /** Relative to the workspace, sorted by code units. Guarded names are among them. */
  paths: string[];
  /** Names that are not UTF-8, as they are shown. */
  foreign: string[];
  /** What could not be looked into, with the reason. */
  unread: string[];
  /** False: the deadline came first. */
  isWhole: boolean;
}

export interface ListRequest extends Scope {
  /** Options for the glob (see `toGlobOptions`). Null: all files. */
  globs: string[] | null;
  /** More options of ripgrep. */
  options?: readonly string[];
  timeoutMs: number;
}

/**
 * Lists the files of a part of the workspace. ripgrep walks and matches, so that no pattern can occupy this process.
 * @throws ToolRefusal for a bad glob, or too many files; the signal's reason
 */
export async function listFiles(request: ListRequest, context: SearchContext): Promise<Listing> {
  const endsAt = performance.now() + request.timeoutMs;
  const all = await list({ ...request, globs: null }, context);
  if (request.globs === null || !all.isWhole) return all;
  // A glob of ripgrep also brings back what .gitignore leaves out, so only files of both lists count.
  const matching = await list({ ...request, timeoutMs: Math.max(1, endsAt - performance.now()) }, context);
  const visible = new Set(all.paths);
  return {
    ...matching,
    paths: matching.paths.filter((path) => visible.has(path)),
    foreign: matching.foreign.filter((name) => all.foreign.includes(name)),
  };
}

async function list(request: ListRequest, context: SearchContext): Promise<Listing> {
  const { root } = context.workspace;
  const paths: string[] = [];
  const foreign: string[] = [];
  const read = async (stdout: AsyncIterable<Buffer>): Promise<void> => {
    for await (const names of readNames(stdout)) {
      for (const name of names) {
        const path = toName(name);
        if (path === null) foreign.push(showBytes(name));
        else paths.push(path);
      }
      if (paths.length > MOST_FILES) throw new ToolRefusal(`more than ${MOST_FILES} files; name a folder`);
    }
  };
  const end = await withScope(request, context, async ({ options, at }) => {
    const args = ['--files', '--null', ...(request.options ?? []), ...(request.globs ?? []), ...options, ...at];
    return await runEngine(args, { root, signal: context.signal, timeoutMs: request.timeoutMs, read });
  });
  requireEnd(end);
  return { paths: paths.sort(), foreign: foreign.sort(), unread: readErrors(end, context), isWhole: !end.isTimedOut };
}

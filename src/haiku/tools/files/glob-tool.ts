import { glob } from 'tinyglobby';
import { posix } from 'node:path';
import { z } from 'zod';
import { requireWorkspace, ToolRefusal } from '../tool-refusal.ts';
import { resolveInside } from './safe-path.ts';
import { defineTool, type WorkspaceContext } from '../tool.ts';

const SHOWN = 1_000;

/**
 * Lists files. The SDK's glob needs Node 22. tinyglobby can leave its folder through `..` and links, so every match is
 * checked.
 */
export const globTool = defineTool({
  name: 'glob',
  description: `List files by a glob such as src/**/*.ts, sorted by path, at most ${SHOWN}. Leaves out .git, node_modules and secrets.`,
  input: z.strictObject({
    pattern: z.string().min(1).max(500),
    path: z.string().min(1).optional().describe('folder to look in, relative to the workspace; default all'),
  }),
  async run({ pattern, path }, given) {
    const context = requireWorkspace(given);
    checkPattern(pattern);
    const folder = path === undefined ? '' : await resolveInside(path, context);
    const found = await glob(pattern, {
      cwd: posix.join(context.workspace.root, folder),
      dot: true,
      deep: 40,
      expandDirectories: false,
      extglob: false,
      followSymbolicLinks: false,
      ignore: ['**/.git/**', '**/node_modules/**'],
      signal: context.signal,
    });
    const files = await keepAllowed(found.map((file) => posix.join(folder, file)).toSorted(), context);
    if (files.length === 0) return { content: 'no matches', isError: false };
    const more = files.length > SHOWN ? [`[cut: ${files.length} files match, ${SHOWN} are shown]`] : [];
    return { content: [...files.slice(0, SHOWN), ...more].join('\n'), isError: false };
  },
});

/** @throws ToolRefusal for a pattern that leaves the workspace, or that would occupy the matcher for very long */
function checkPattern(pattern: string): void {
  const shown = JSON.stringify(pattern);
  if (pattern.includes('\0')) throw new ToolRefusal(`glob: pattern ${shown} may not contain a NUL byte`);
  if (pattern.startsWith('/') || /(^|[/{,(|])\.\.([/},)|]|$)/.test(pattern)) {
    throw new ToolRefusal(`glob: pattern ${shown} leads outside the workspace; use a relative pattern without ".."`);
  }
  // Each wildcard multiplies the ways that a backtracking matcher tries on a long name.
  const isHard = pattern.split('/').some((part) => part !== '**' && part.split('*').length > 4);
  if (isHard || pattern.split('**').length > 5 || pattern.split(/[{[]/).length > 6) {
    throw new ToolRefusal(`glob: pattern ${shown} has too many wildcards; use a simpler one`);
  }
}

/** Keeps the paths that a tool may open and that lead through no link, each once. */
async function keepAllowed(paths: string[], context: WorkspaceContext): Promise<string[]> {
  const kept = new Set<string>();
  for (const path of paths) {
    context.signal.throwIfAborted();
    try {
      if (posix.normalize(path) === (await resolveInside(path, context))) kept.add(path);
    } catch (error) {
      if (!(error instanceof ToolRefusal)) throw error;
    }
  }
  return [...kept];
}

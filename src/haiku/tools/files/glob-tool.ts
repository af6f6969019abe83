import { z } from 'zod';
import { requireWorkspace, ToolRefusal } from '../tool-refusal.ts';
import { listFiles } from './list-files.ts';
import { resolveInside } from './safe-path.ts';
import { defineTool } from '../tool.ts';

const SHOWN = 1_000;

/** Lists files. */
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
    const files = await listFiles(pattern, folder, context);
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

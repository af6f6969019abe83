import { z } from 'zod';
import { openInside } from '../files/open-inside.ts';
import { resolveInside } from '../files/safe-path.ts';
import { requireWorkspace, toRefusal, ToolRefusal } from '../tool-refusal.ts';
import { defineTool, type Tool } from '../tool.ts';
import { IGNORED_HELP } from './engine/scope.ts';

const DEADLINE_MS = 60_000;
const LIMIT = { lines: 200, files: 1_000, count: 1_000 };

/** Creates the tool that searches the workspace. */
export function createGrepTool(deadlineMs = DEADLINE_MS): Tool {
  return defineTool({
    name: 'grep',
    description:
      "Search file contents line by line for a regular expression in Rust's syntax ((?i), \\b, \\d, \\p{L}; no look-around, no backreferences). Gives path:line:text, sorted by path; context lines as path-line-text. Searches hidden files; leaves out .git, node_modules, what .gitignore names, and secrets. A long line is shown in part.",
    input: z.strictObject({
      pattern: z.string().min(1).max(1_000),
      path: z
        .string()
        .min(1)
        .optional()
        .describe(
          'file or folder to search, relative to the workspace; default all. A file or folder named here is never left out',
        ),
      glob: z
        .string()
        .min(1)
        .max(500)
        .optional()
        .describe('only files such as *.ts (at any depth) or src/**/*.{ts,tsx} (from path on); !*.min.js leaves out'),
      ignore_case: z.boolean().optional(),
      context: z.int().min(0).max(20).optional().describe('lines shown before and after each match; default 0'),
      output: z
        .enum(['lines', 'files', 'count'])
        .optional()
        .describe('lines (default), files: paths only, count: matching lines of each file'),
      limit: z.int().min(1).max(2_000).optional().describe('most matches shown; default 200 lines, or 1000 files'),
      ignored: z.boolean().optional().describe(IGNORED_HELP),
    }),
    async run(
      { pattern, path, glob, ignore_case, context: around = 0, output = 'lines', limit, ignored = false },
      given,
    ) {
      const context = requireWorkspace(given);
      if (pattern.includes('\0'))
        throw new ToolRefusal(String.raw`grep: a pattern holds no NUL byte; write \x00 for one`);
      const target = path === undefined ? '' : await resolveInside(path, context);
      const isFile = await requireSearchable(context.workspace.root, target);
      const request = {
        scope: { target, ignored },
        pattern,
        isFile,
        glob: glob ?? null,
        ignoreCase: ignore_case ?? false,
        hits: { output, limit: limit ?? LIMIT[output], around },
        timeoutMs: deadlineMs,
      };
      const [{ searchFiles }, { showHits }] = await Promise.all([
        import('./hits/search-files.ts'),
        import('./hits/show-hits.ts'),
      ]);
      return { content: showHits(await searchFiles(request, context), request), isError: false };
    },
  });
}

/** @returns whether the target is a file @throws ToolRefusal for a FIFO or device: reading it would never end */
async function requireSearchable(root: string, target: string): Promise<boolean> {
  try {
    const file = await openInside(root, target);
    try {
      const stats = await file.stat();
      if (stats.isFile() || stats.isDirectory()) return stats.isFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw toRefusal(error, target);
  }
  throw new ToolRefusal(`${JSON.stringify(target)}: is neither a file nor a folder`);
}

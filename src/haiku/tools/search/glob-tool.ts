import { z } from 'zod';
import { countOf } from '../../../text/plural.ts';
import { resolveInside } from '../files/safe-path.ts';
import { requireWorkspace } from '../tool-refusal.ts';
import { defineTool, type Tool } from '../tool.ts';
import { listFiles } from './listing/list-files.ts';
import { IGNORED_HELP, isShown, toGlobOptions } from './engine/scope.ts';
import { showNames } from './engine/show-names.ts';
import { showPath } from './engine/show-path.ts';
import { readSizes } from './listing/sizes.ts';

const DEADLINE_MS = 60_000;
const LIMIT = 1_000;

/** Creates the tool that finds files by their path. */
export function createGlobTool(deadlineMs = DEADLINE_MS): Tool {
  return defineTool({
    name: 'glob',
    description:
      'List files by a glob such as *.md (this folder only) or src/**/*.{ts,tsx}, sorted by path. Gives bytes and path. Lists hidden files; leaves out .git, node_modules, what .gitignore names, secrets and links.',
    input: z.strictObject({
      pattern: z.string().min(1).max(500),
      path: z.string().min(1).optional().describe('folder to look in, relative to the workspace; default all'),
      limit: z.int().min(1).max(2_000).optional().describe(`most files shown; default ${LIMIT}`),
      ignored: z.boolean().optional().describe(IGNORED_HELP),
    }),
    async run({ pattern, path, limit = LIMIT, ignored = false }, given) {
      const context = requireWorkspace(given);
      const target = path === undefined ? '' : await resolveInside(path, context);
      const globs = toGlobOptions('glob', pattern, target);
      const listing = await listFiles({ target, ignored, globs, timeoutMs: deadlineMs }, context);
      const paths = listing.paths.filter((file) => isShown(file, context));
      const sizes = await readSizes(paths.slice(0, limit), context);
      const shown = paths.flatMap((file) => (sizes.has(file) ? [`${sizes.get(file)} ${showPath(file)}`] : []));
      const more = paths.length - limit;
      const notes = [
        ...(more > 0 ? [`[${countOf(more, 'more file')}; raise limit, or narrow the pattern]`] : []),
        ...(listing.foreign.length > 0
          ? [`[names that are not UTF-8, which no tool can open: ${showNames(listing.foreign)}]`]
          : []),
        ...(listing.unread.length > 0 ? [`[not listed: ${showNames(listing.unread)}]`] : []),
        ...(listing.isWhole ? [] : [`[stopped after ${deadlineMs / 1_000} s, not all was listed; name a folder]`]),
      ];
      const isNothing = shown.length === 0 && listing.isWhole && listing.foreign.length === 0;
      const nothing = listing.unread.length === 0 ? 'no matches' : 'no matches in what was listed';
      return { content: [...(isNothing ? [nothing] : shown), ...notes].join('\n'), isError: false };
    },
  });
}

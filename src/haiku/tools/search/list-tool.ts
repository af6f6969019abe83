import { z } from 'zod';
import { countOf } from '../../../text/plural.ts';
import { resolveInside } from '../files/safe-path.ts';
import { requireWorkspace } from '../tool-refusal.ts';
import { defineTool, type Tool } from '../tool.ts';
import { IGNORED_HELP } from './engine/scope.ts';
import { showNames } from './engine/show-names.ts';
import { showPath } from './engine/show-path.ts';
import { listEntries, type Entry, type FolderListing } from './listing/list-entries.ts';

const DEADLINE_MS = 60_000;
const LIMIT = 500;

/** Creates the tool that lists one folder. */
export function createListTool(deadlineMs = DEADLINE_MS): Tool {
  return defineTool({
    name: 'list',
    description:
      'List what lies directly in a folder, sorted by name. Gives kind, size and name: bytes of a file, of a folder how many files are below it. Leaves out the same as glob; links are shown and not followed.',
    input: z.strictObject({
      path: z.string().min(1).optional().describe('folder, relative to the workspace; default its top level'),
      limit: z.int().min(1).max(2_000).optional().describe(`most entries shown; default ${LIMIT}`),
      ignored: z.boolean().optional().describe(IGNORED_HELP),
    }),
    async run({ path, limit = LIMIT, ignored = false }, given) {
      const context = requireWorkspace(given);
      const folder = path === undefined ? '' : await resolveInside(path, context);
      const listing = await listEntries({ folder, ignored, timeoutMs: deadlineMs }, context);
      const late = listing.isWhole ? [] : [`[stopped after ${deadlineMs / 1_000} s: counts are too low]`];
      return { content: [...showListing(listing, limit), ...late].join('\n'), isError: false };
    },
  });
}

function showListing({ entries, ignoredCount, foreign, unread }: FolderListing, limit: number): string[] {
  const folders = entries.filter(({ kind }) => kind === 'folder').length;
  const files = entries.flatMap((entry) => (entry.kind === 'file' ? [entry.bytes] : []));
  const bytes = files.reduce((sum, size) => sum + size, 0);
  const more = entries.length - limit;
  return [
    ...entries.slice(0, limit).map(showEntry),
    ...(more > 0 ? [`[${countOf(more, 'more entry', 'more entries')}; raise limit]`] : []),
    `[${countOf(folders, 'folder')}, ${countOf(files.length, 'file')} of ${countOf(bytes, 'byte')}]`,
    ...(ignoredCount > 0
      ? [`[${countOf(ignoredCount, 'ignored entry', 'ignored entries')} left out; ignored: true shows them]`]
      : []),
    ...(foreign.length > 0 ? [`[names that are not UTF-8, which no tool can open: ${showNames(foreign)}]`] : []),
    ...(unread.length > 0 ? [`[not looked into: ${showNames(unread)}]`] : []),
  ];
}

function showEntry(entry: Entry): string {
  if (entry.kind === 'file') return `file ${entry.bytes} ${showPath(entry.name)}`;
  if (entry.kind === 'folder') return `folder ${entry.files} ${showPath(entry.name)}`;
  return `${entry.kind} - ${showPath(entry.name)}`;
}

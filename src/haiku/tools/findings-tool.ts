import { z } from 'zod';
import type { FoundFinding, FoundFindings } from '../../findings/types.ts';
import { countOf } from '../../text/plural.ts';
import { ToolRefusal } from './tool-refusal.ts';
import { defineTool, type ToolContext, type ToolOutcome } from './tool.ts';
import { stringifyExact } from '../../text/exact-json.ts';

const SEARCH_LIMIT = 20;

/** Searches and reads findings. The task cites every finding that it reads with `get`. */
export const findingsTool = defineTool({
  name: 'findings',
  description:
    'Look into the findings of other tasks. "search" lists id, time and summary of those with the most words of the query, newest first; put words in double quotes to find them as they stand. "get" reads whole findings by id.',
  input: z.strictObject({
    action: z.enum(['get', 'search']),
    ids: z.array(z.string().min(1).max(200)).min(1).max(10).optional().describe('for get'),
    query: z.string().min(1).max(1_000).optional().describe('for search'),
  }),
  async run({ action, ids, query }, context) {
    if (action === 'search') {
      if (query === undefined) throw new ToolRefusal('findings: action "search" needs "query"');
      const { signal } = context;
      return {
        content: toListing(await context.findings.find(query, { limit: SEARCH_LIMIT, signal })),
        isError: false,
      };
    }
    if (ids === undefined) throw new ToolRefusal('findings: action "get" needs "ids"');
    return await readFindings(ids, context);
  },
});

/** One line for each finding; then what the search did not look at. */
function toListing({ found, termCount, olderCount, tooLargeCount }: FoundFindings): string {
  if (termCount === 0)
    throw new ToolRefusal('findings: "query" holds no word to search for; put marks into double quotes');
  return [
    ...(found.length === 0 ? ['no findings match'] : []),
    ...found.map((one) => `${one.id} (${one.at}): ${toMarks(one, termCount)}${one.summary}`),
    ...(found.length === SEARCH_LIMIT ? [`[the best ${SEARCH_LIMIT}; more may match]`] : []),
    ...(olderCount === 0 ? [] : [`[not searched, the time was over: the ${countOf(olderCount, 'oldest finding')}]`]),
    ...(tooLargeCount === 0 ? [] : [`[not searched, too large: ${countOf(tooLargeCount, 'finding')}]`]),
  ].join('\n');
}

function toMarks({ isPartial, toolErrors, matches }: FoundFinding, termCount: number): string {
  const marks = [
    ...(matches < termCount ? [`${matches} of ${termCount} words`] : []),
    ...(isPartial ? ['PARTIAL'] : []),
    ...(toolErrors === 0 ? [] : [countOf(toolErrors, 'tool error')]),
  ];
  return marks.length === 0 ? '' : `[${marks.join(', ')}] `;
}

async function readFindings(ids: string[], context: ToolContext): Promise<ToolOutcome> {
  const read = await Promise.all(ids.map(async (id) => ({ id, finding: await context.findings.get(id) })));
  const missing = read.filter(({ finding }) => finding === null).map(({ id }) => id);
  const citations = read.filter(({ finding }) => finding !== null).map(({ id }) => id);
  if (citations.length === 0) throw new ToolRefusal(`findings: none has the id ${missing.join(', ')}; search for it`);
  const texts = read.flatMap(({ id, finding }) => (finding === null ? [] : `${id}: ${stringifyExact(finding)}`));
  if (missing.length > 0) texts.push(`[no finding has the id ${missing.join(', ')}]`);
  return { content: texts.join('\n\n'), isError: false, citations };
}

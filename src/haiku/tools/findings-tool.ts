import { z } from 'zod';
import { ToolRefusal } from './tool-refusal.ts';
import { defineTool, type ToolContext, type ToolOutcome } from './tool.ts';

const SEARCH_LIMIT = 20;

/** Searches and reads findings. The task cites every finding that it reads with `get`. */
export const findingsTool = defineTool({
  name: 'findings',
  description:
    'Look into the findings of other tasks. "search" lists id, time and summary of those that match the query; "get" reads whole findings by id.',
  input: z.strictObject({
    action: z.enum(['get', 'search']),
    ids: z.array(z.string().min(1).max(200)).min(1).max(10).optional().describe('for get'),
    query: z.string().min(1).max(1_000).optional().describe('for search'),
  }),
  async run({ action, ids, query }, context) {
    if (action === 'search') {
      if (query === undefined) throw new ToolRefusal('findings: action "search" needs "query"');
      const found = await context.findings.search(query, { limit: SEARCH_LIMIT });
      if (found.length === 0) return { content: 'no findings match', isError: false };
      return { content: found.map(({ id, at, summary }) => `${id} (${at}): ${summary}`).join('\n'), isError: false };
    }
    if (ids === undefined) throw new ToolRefusal('findings: action "get" needs "ids"');
    return await readFindings(ids, context);
  },
});

async function readFindings(ids: string[], context: ToolContext): Promise<ToolOutcome> {
  const read = await Promise.all(ids.map(async (id) => ({ id, finding: await context.findings.get(id) })));
  const missing = read.filter(({ finding }) => finding === null).map(({ id }) => id);
  const citations = read.filter(({ finding }) => finding !== null).map(({ id }) => id);
  if (citations.length === 0) throw new ToolRefusal(`findings: none has the id ${missing.join(', ')}; search for it`);
  const texts = read.flatMap(({ id, finding }) => (finding === null ? [] : `${id}: ${JSON.stringify(finding)}`));
  if (missing.length > 0) texts.push(`[no finding has the id ${missing.join(', ')}]`);
  return { content: texts.join('\n\n'), isError: false, citations };
}

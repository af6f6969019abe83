import { z } from 'zod';
import type { FoundFinding, FoundFindings } from '../../findings/types.ts';
import { SwarmRefusedError } from '../../errors.ts';
import { countOf } from '../../text/plural.ts';
import { ToolRefusal } from './tool-refusal.ts';
import { defineTool, type Tool, type ToolContext, type ToolOutcome } from './tool.ts';
import { stringifyExact } from '../../text/exact-json.ts';

const SEARCH_LIMIT = 20;

const input = z.strictObject({
  action: z.enum(['get', 'search']),
  ids: z.array(z.string().min(1).max(200)).min(1).max(10).optional().describe('for get'),
  query: z.string().min(1).max(1_000).optional().describe('for search'),
});
const acrossInput = input.extend({
  swarm: z.string().min(1).max(32).optional().describe('for search: another swarm, which <environment> names'),
});

/** Searches and reads findings. The task cites every finding that it reads with `get`. */
export const findingsTool = createFindingsTool(input);
/** The same where other swarms are read, too. */
export const findingsAcrossTool = createFindingsTool(acrossInput);

function createFindingsTool(schema: typeof input | typeof acrossInput): Tool {
  return defineTool({
    name: 'findings',
    description:
      'Look into the findings of other tasks. "search" lists id, time and summary of those with the most words of the query, newest first; put words in double quotes to find them as they stand. "get" reads whole findings by id.',
    input: schema,
    async run({ action, ids, query, ...more }, context) {
      if (action === 'search') {
        if (query === undefined) throw new ToolRefusal('findings: action "search" needs "query"');
        const swarm = 'swarm' in more && typeof more.swarm === 'string' ? more.swarm : undefined;
        const options = { limit: SEARCH_LIMIT, signal: context.signal, swarm };
        return { content: toListing(await readAcross(() => context.findings.find(query, options))), isError: false };
      }
      if (ids === undefined) throw new ToolRefusal('findings: action "get" needs "ids"');
      return await readAcross(() => readFindings(ids, context));
    },
  });
}

/** Another swarm that cannot be read is nothing that stops the task: the model is told the rule. */
async function readAcross<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SwarmRefusedError) throw new ToolRefusal(`findings: ${error.message}`, { cause: error });
    throw error;
  }
}

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

function toMarks({ isPartial, toolErrors, matches, simulated }: FoundFinding, termCount: number): string {
  const marks = [
    ...(matches < termCount ? [`${matches} of ${termCount} words`] : []),
    ...(simulated === true ? ['SIMULATED, not real'] : []),
    ...(isPartial ? ['PARTIAL'] : []),
    ...(toolErrors === 0 ? [] : [countOf(toolErrors, 'tool error')]),
  ];
  return marks.length === 0 ? '' : `[${marks.join(', ')}] `;
}

async function readFindings(ids: string[], context: ToolContext): Promise<ToolOutcome> {
  const read = await Promise.all(
    ids.map(async (given) => {
      const finding = await context.findings.get(given);
      return { id: finding?.finding_id ?? given, finding };
    }),
  );
  const missing = read.filter(({ finding }) => finding === null).map(({ id }) => id);
  const citations = read.filter(({ finding }) => finding !== null).map(({ id }) => id);
  if (citations.length === 0) throw new ToolRefusal(`findings: none has the id ${missing.join(', ')}; search for it`);
  const texts = read.flatMap(({ id, finding }) =>
    finding === null ? [] : `${id}: ${toWarning(finding)}${stringifyExact(finding)}`,
  );
  if (missing.length > 0) texts.push(`[no finding has the id ${missing.join(', ')}]`);
  const simulated = read.filter(({ finding }) => finding?.simulated === true).map(({ id }) => id);
  return { content: texts.join('\n\n'), isError: false, citations, ...(simulated.length === 0 ? {} : { simulated }) };
}

function toWarning({ simulated }: { simulated?: boolean }): string {
  return simulated === true ? '[SIMULATED, not real: say so where you use it] ' : '';
}

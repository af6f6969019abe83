import { z } from 'zod';
import { toOneLine } from '../../text/one-line.ts';
import { toMaterial } from '../../text/quoting/material.ts';
import { fitLines, PAGE_TOKENS } from '../answer/pages.ts';
import { onlyGiven } from '../tool/only-given.ts';
import { defineTool, READS } from '../tool/types.ts';

const DEADLINE_MS = 15_000;

/** Searches what was found, without a model. */
export const searchFindings = defineTool({
  name: 'search_findings',
  title: 'Search findings',
  description:
    'Search findings by words (free, no model): the best matches with their first line. Use it before you delegate. Then result.',
  needs: 'read',
  hints: READS,
  input: z.strictObject({
    query: z.string().regex(/\S/, 'expected words').max(1_000).describe('words; "quoted words" count as one'),
    session: z.string().min(1).max(200).optional(),
    batch: z.string().min(1).max(200).optional(),
    shard: z.string().min(1).max(100).optional(),
    swarm: z.string().min(1).max(32).optional().describe('another swarm that this one reads'),
    limit: z.int().min(1).max(50).default(15),
  }),
  output: z.object({
    found: z.int(),
    not_searched: z.int().optional().describe('older findings, for lack of time: narrow the search'),
    material: z.string().optional(),
  }),
  async run({ fleet, signal, redact }, { query, limit, ...filter }) {
    const { found, olderCount, tooLargeCount } = await fleet.findings.find(query, {
      ...onlyGiven(filter),
      limit,
      deadlineMs: DEADLINE_MS,
      signal,
    });
    const lines = found.map(
      ({ id, at, summary, isPartial, simulated }) =>
        `${id} ${at.slice(0, 16)}Z${isPartial ? ' partial' : ''}${simulated === true ? ' SIMULATED' : ''} | ${toOneLine(redact(summary), 200)}`,
    );
    const shown = fitLines(lines, PAGE_TOKENS);
    const skipped = olderCount + tooLargeCount;
    return {
      found: shown.length,
      ...(skipped === 0 ? {} : { not_searched: skipped }),
      ...(shown.length === 0 ? {} : { material: toMaterial('findings', shown.join('\n')) }),
    };
  },
});

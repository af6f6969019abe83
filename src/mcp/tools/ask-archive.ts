import { z } from 'zod';
import { randomBytes } from 'node:crypto';
import { QUERY_PREFIX } from '../../../queues/ids.ts';
import { UsageError } from '../../errors.ts';
import { assertSameWords } from '../../jobs/same-words.ts';
import { cutPages, PAGE_TOKENS } from '../answer/pages.ts';
import { toMaterial } from '../../text/quoting/material.ts';
import { onlyGiven } from '../tool/only-given.ts';
import { defineTool } from '../tool/types.ts';
import { findFinding } from '../work/find-finding.ts';
import { toResultText } from '../work/result-text.ts';
import { waitForWork } from '../work/wait-for-work.ts';

const name = z.string().min(1).max(200).optional();

/** Asks the librarians. */
export const askArchive = defineTool({
  name: 'ask_archive',
  title: 'Ask the archive',
  description:
    'Ask a librarian, who knows all findings: an answer with the ids of its sources, or NOT IN ARCHIVE. Waits up to 45 s; later: wait and result with the id.',
  needs: 'delegate',
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    question: z.string().regex(/\S/, 'expected words').max(20_000),
    query_id: z.string().min(1).max(150).optional().describe('an id of yours: the same is asked once'),
    session: name,
    batch: name,
    mission_id: name,
    topic: name,
    swarm: name.describe('another swarm that this one reads, or all'),
    shard: z.string().min(1).max(100).optional(),
    context: z.string().min(1).max(100).optional().describe('answer from this memory context and its findings'),
    seconds: z.number().min(0).max(45).default(40),
  }),
  output: z.object({
    id: z.string(),
    ended: z.boolean(),
    blocked: z.string().optional(),
    citations: z.array(z.string()).optional(),
    pages: z.int().optional(),
    material: z.string().optional(),
    next: z.string().optional(),
  }),
  async run(call, { question, query_id: given, seconds, shard, context, session, batch, mission_id, topic, swarm }) {
    const queryId = given ?? `mcp_${randomBytes(6).toString('hex')}`;
    const filter = onlyGiven({ session, batch, mission_id, topic, swarm });
    const { id, findingId, added } = await call.fleet.ask(question, {
      queryId,
      ...(Object.keys(filter).length === 0 ? {} : { filter }),
      ...onlyGiven({ shard, context }),
    });
    if (!id.startsWith(QUERY_PREFIX)) throw new UsageError(`ask_archive: ${id} is no question`);
    if (!added) await assertSameWords(call.fleet.inner.db, 'archive', { id, findingId, words: question });
    const { view, blocked } = await waitForWork(call, { ids: [id] }, 'all', seconds * 1_000);
    if (view.done === 0) {
      const ended = view.failed + view.cancelled + view.missing > 0;
      return {
        id,
        ended,
        ...(blocked === null ? {} : { blocked }),
        next: ended ? 'failed' : blocked === null ? 'wait' : 'tell the person',
      };
    }
    const finding = await findFinding(call.fleet, id);
    const pages = cutPages(call.redact(toResultText(finding)), PAGE_TOKENS - 400);
    return {
      id,
      ended: true,
      citations: finding.citations.slice(0, 30),
      pages: pages.length,
      material: toMaterial(`the archive’s answer ${finding.finding_id}`, pages[0] ?? ''),
    };
  },
});

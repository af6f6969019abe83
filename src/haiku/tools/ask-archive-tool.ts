import { z } from 'zod';
import { ToolRefusal } from './tool-refusal.ts';
import { defineTool } from './tool.ts';

/** Asks the archive a question. The task cites the findings that the answer cites. */
export const askArchiveTool = defineTool({
  name: 'ask_archive',
  description:
    'Ask the archive of all findings a question in plain words. The answer names its sources as [finding ids]; "NOT IN ARCHIVE" means that no finding says anything about it.',
  input: z.strictObject({
    question: z.string().min(1).max(20_000),
    session: z.string().min(1).max(200).optional().describe('only findings of this session'),
    topic: z.string().min(1).max(200).optional().describe('only findings with this topic'),
  }),
  async run({ question, session, topic }, context) {
    if (context.askArchive === undefined) throw new ToolRefusal('ask_archive: this fleet has no archive to ask');
    const filter = { ...(session === undefined ? {} : { session }), ...(topic === undefined ? {} : { topic }) };
    const reply = await context.askArchive(question, filter, context.signal);
    switch (reply.kind) {
      case 'answer':
        return { content: reply.text, isError: false, citations: reply.citations };
      case 'failed':
        throw new ToolRefusal(`ask_archive: no answer (${reply.reason}); use the findings tool`);
      case 'later':
        throw new ToolRefusal('ask_archive: no answer in time; use the findings tool, or go on without');
    }
  },
});

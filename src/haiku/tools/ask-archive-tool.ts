import { z } from 'zod';
import { ToolRefusal } from './tool-refusal.ts';
import { defineTool, type Tool } from './tool.ts';

const input = z.strictObject({
  question: z.string().min(1).max(20_000),
  session: z.string().min(1).max(200).optional().describe('only findings of this session'),
  topic: z.string().min(1).max(200).optional().describe('only findings with this topic'),
});
const acrossInput = input.extend({
  swarm: z.string().min(1).max(32).optional().describe('another swarm, which <environment> names, or all'),
});

/** Asks the archive a question. The task cites the findings that the answer cites. */
export const askArchiveTool = createAskArchiveTool(input);
/** The same where other swarms are read, too. */
export const askAcrossTool = createAskArchiveTool(acrossInput);

function createAskArchiveTool(schema: typeof input | typeof acrossInput): Tool {
  return defineTool({
    name: 'ask_archive',
    description:
      'Ask the archive of all findings a question in plain words. The answer names its sources as [finding ids]; "NOT IN ARCHIVE" means that no finding says anything about it.',
    input: schema,
    async run({ question, session, topic, ...more }, context) {
      if (context.askArchive === undefined) throw new ToolRefusal('ask_archive: this fleet has no archive to ask');
      const swarm = 'swarm' in more && typeof more.swarm === 'string' ? more.swarm : undefined;
      const known = context.otherSwarms ?? [];
      if (swarm !== undefined && swarm !== 'all' && !known.includes(swarm)) {
        throw new ToolRefusal(`ask_archive: swarm ${swarm} is not read here; there are ${known.join(', ')} and all`);
      }
      const filter = {
        ...(session === undefined ? {} : { session }),
        ...(topic === undefined ? {} : { topic }),
        ...(swarm === undefined ? {} : { swarm }),
      };
      const reply = await context.askArchive(question, filter, context.signal);
      switch (reply.kind) {
        case 'answer':
          return {
            content: reply.text,
            isError: false,
            citations: reply.citations,
            ...(reply.simulated === undefined ? {} : { simulated: reply.simulated }),
          };
        case 'failed':
          throw new ToolRefusal(`ask_archive: no answer (${reply.reason}); use the findings tool`);
        case 'later':
          throw new ToolRefusal('ask_archive: no answer in time; use the findings tool, or go on without');
      }
    },
  });
}

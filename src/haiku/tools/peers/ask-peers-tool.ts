import { z } from 'zod';
import type { PeerReply } from '../peer-types.ts';
import { requireFilesInside } from '../files/files-inside.ts';
import { InvalidJobError } from '../../../errors.ts';
import { toMaterial } from '../../../text/quoting/material.ts';
import { isGuardedName, isNamed } from '../files/secret-names.ts';
import { ToolRefusal } from '../tool-refusal.ts';
import { defineTool, type ToolContext } from '../tool.ts';

/** Name of the tool whose wait ends the run: it comes before all other tools of its turn. */
export const ASK_PEERS = 'ask_peers';

/** Asks up to three other workers. The task sleeps meanwhile; it cites the answers. */
export const askPeersTool = defineTool({
  name: ASK_PEERS,
  description:
    'Ask up to three other workers for help when you are stuck: you have tried, and see no way on. Never for what a tool shows you, nor for a decision that hand_back is for. They read the workspace without your changes, and know only what you write here: quote errors and lines. The first useful answer comes back; at most three questions a task.',
  input: z.strictObject({
    problem: z.string().min(1).max(8_000).describe('what you need to know, and what stands in the way'),
    tried: z.string().min(1).max(8_000).describe('what you tried, and what came of it'),
    urgency: z
      .enum(['normal', 'urgent'])
      .optional()
      .describe('urgent: an answer within a minute or none; default normal, ten minutes'),
    files: z.array(z.string().min(1).max(1_000)).max(10).optional().describe('files that they begin with'),
  }),
  async run({ problem, tried, urgency = 'normal', files = [] }, context) {
    if (context.askPeers === undefined) throw new ToolRefusal('ask_peers: there is nobody to ask');
    await requireOpen(files, context);
    const reply = await context.askPeers(
      { problem, tried, urgency, files },
      { changed: [...context.state.changes.keys()] },
    );
    return { content: describe(reply), isError: false, citations: reply.answers.map(({ findingId }) => findingId) };
  },
});

/** A peer may open what its task lists: a file must be open to the asker, too. @throws ToolRefusal */
async function requireOpen(files: readonly string[], { workspace, files: own }: ToolContext): Promise<void> {
  if (files.length === 0) return;
  if (workspace === null) throw new ToolRefusal('ask_peers: this task has no workspace, so there are no files to name');
  const closed = files.find((path) => isGuardedName(path) && !isNamed(path, own));
  if (closed !== undefined)
    throw new ToolRefusal(`ask_peers: ${JSON.stringify(closed)} may hold secrets; leave it out`);
  try {
    await requireFilesInside(files, workspace.root);
  } catch (error) {
    if (error instanceof InvalidJobError) throw new ToolRefusal(`ask_peers: ${error.message}`);
    throw error;
  }
}

function describe({ answers, why }: PeerReply): string {
  if (answers.length > 0) {
    const texts = answers.map(({ findingId, text }) => toMaterial(`a peer's answer [${findingId}]`, text));
    return [...texts, 'Check what you use, and name the ids of the answers that you relied on.'].join('\n');
  }
  const what = why === 'too-late' ? 'no peer has answered in time' : 'your peers found nothing that helps';
  return `${what}: go on without, take another way, or hand the task back with what you tried`;
}

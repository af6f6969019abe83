import { z } from 'zod';
import type { Survey } from './mission/types.ts';
import { retrieve } from './retrieve.ts';
import type { StepContext } from './step/types.ts';

/** A worker's reply has room for some more; what it leaves out is counted. */
const MOST_FILES = 300;

const DESCRIPTION = `List every file of the workspace with its path, relative to the workspace, and its size in bytes where a tool shows it (0 where none does). Use the glob tool with **/*; where its list is cut, ask folder by folder. Read no file and add none. Where there are more than ${MOST_FILES}, name ${MOST_FILES}: those nearest to the top, and some of each folder. total is how many files there are in all, named or not.`;

/** What the task's result must be, for the worker. */
const SCHEMA = {
  type: 'object',
  required: ['total', 'files'],
  properties: {
    total: { type: 'integer' },
    files: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'bytes'],
        properties: { path: { type: 'string' }, bytes: { type: 'number' } },
      },
    },
  },
};

const resultSchema = z.object({
  total: z.int().min(0),
  files: z.array(z.object({ path: z.string().min(1).max(4_096), bytes: z.number().catch(0) })),
});

/** Has a worker list the workspace: the coordinator reads no files itself. */
export async function survey(ctx: StepContext): Promise<Survey> {
  const { id, data } = ctx;
  const { workspace } = data;
  if (workspace === undefined) return { skipped: 'the mission has no workspace' };
  return retrieve(ctx, 'survey', async (name, failure) => {
    const end = await ctx.task({
      taskId: `${id}-${name}`,
      description:
        failure === null ? DESCRIPTION : `${DESCRIPTION}\n\nThe last attempt failed: ${failure.slice(0, 1_000)}`,
      kind: 'search',
      workspace,
      schema: SCHEMA,
    });
    if (end.state === 'failed') return end;
    const parsed = resultSchema.safeParse(end.finding.result);
    if (!parsed.success) return { state: 'failed', reason: 'malformed: the listing is no list of files' };
    const { files, total } = parsed.data;
    const value = { findingId: end.finding.finding_id, files, total: Math.max(total, files.length) };
    return { state: 'completed', value };
  });
}

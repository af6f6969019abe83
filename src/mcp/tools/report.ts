import { z } from 'zod';
import { onlyGiven } from '../tool/only-given.ts';
import { defineTool } from '../tool/types.ts';

/** Ends a claimed task. */
export const report = defineTool({
  name: 'report',
  title: 'Report a claimed task',
  description:
    'End a task that you claimed: with its result, or failed (why), or give it back (release). The result is stored once; a late or second report is refused.',
  needs: 'delegate',
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    task: z.string().min(1).max(200),
    lease: z.string().min(1).max(200),
    result: z.unknown().optional().describe('text or JSON; it must fit the task’s schema'),
    files: z.array(z.string()).max(1_000).optional().describe('that you changed'),
    citations: z.array(z.string()).max(1_000).optional().describe('findings that it relies on'),
    tokens_in: z.int().min(0).optional(),
    tokens_out: z.int().min(0).optional(),
    cost_usd: z.number().min(0).optional(),
    why: z.string().min(1).max(4_000).optional().describe('instead of a result: the task failed'),
    release: z.boolean().optional().describe('true, instead of a result: others may take it'),
  }),
  output: z.object({ task_id: z.string(), finding_id: z.string().optional(), did: z.string() }),
  async run({ fleet }, { task, lease, result, files, citations, tokens_in, tokens_out, cost_usd, why, release }) {
    const held = { taskId: task, lease };
    if (release === true) return { ...(await fleet.outside.release(held)), did: 'released' };
    if (why !== undefined) return { ...(await fleet.outside.fail({ ...held, why })), did: 'failed' };
    const tokens = tokens_in === undefined ? undefined : { input: tokens_in, output: tokens_out ?? 0 };
    const { recorded, task_id, finding_id } = await fleet.outside.report({
      ...held,
      result,
      ...onlyGiven({ files, citations, tokens, costUsd: cost_usd }),
    });
    return { task_id, finding_id, did: recorded };
  },
});

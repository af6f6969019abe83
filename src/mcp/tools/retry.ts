import { z } from 'zod';
import { EFFORTS } from '../../../queues/effort.ts';
import { UsageError } from '../../errors.ts';
import { onlyGiven } from '../tool/only-given.ts';
import { defineTool } from '../tool/types.ts';
import { assertOwn } from '../work/assert-own.ts';
import { targetFields } from '../work/target.ts';
import { nameRefused } from './cancel.ts';

/** Puts failed work back to waiting. */
export const retry = defineTool({
  name: 'retry',
  title: 'Retry failed work',
  description:
    'Put failed work back to waiting, also with a change: by ids, or by batch, reason or both. See failed for what helps.',
  needs: 'delegate',
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    ...targetFields,
    reason: z.string().min(1).max(100).optional(),
    first: z.int().min(1).optional().describe('at most so many'),
    append: z.string().max(20_000).optional().describe('added to the description'),
    model: z.string().min(1).max(100).optional(),
    max_turns: z.int().min(1).max(200).optional(),
    effort: z.enum(EFFORTS).optional(),
    fresh: z.boolean().optional().describe('true: from the beginning'),
    dry_run: z.boolean().optional(),
  }),
  output: z.object({ retried: z.int(), ids: z.array(z.string()).optional(), refused: z.array(z.string()).optional() }),
  async run(call, given) {
    const { ids, batch, reason, first } = given;
    if (ids === undefined && batch === undefined && call.role === 'delegate') {
      throw new UsageError('retry: a token of role delegate names ids or a batch of its own');
    }
    if (ids !== undefined) await assertOwn(call, 'retry', { ids });
    if (batch !== undefined) await assertOwn(call, 'retry', { batch });
    const { append, model, max_turns: maxTurns, effort, fresh, dry_run: dryRun } = given;
    const report = await call.fleet.retry(
      onlyGiven({ ids, batch, reason, first }),
      onlyGiven({ append, model, maxTurns, effort, fresh, dryRun }),
    );
    return {
      retried: report.retried.length,
      ...(report.retried.length === 0 ? {} : { ids: report.retried.slice(0, 10) }),
      ...(report.refused.length === 0 ? {} : { refused: nameRefused(report.refused) }),
    };
  },
});

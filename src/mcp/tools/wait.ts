import { z } from 'zod';
import { defineTool, READS } from '../tool/types.ts';
import { describeWork } from '../work/describe-work.ts';
import { toTarget, targetFields } from '../work/target.ts';
import type { WorkView } from '../work/types.ts';
import { waitForWork } from '../work/wait-for-work.ts';
import { hasEnded } from '../work/view-work.ts';

const MOST_S = 45;

/** Waits a while for work; the next call continues. */
export const wait = defineTool({
  name: 'wait',
  title: 'Wait for work',
  description:
    'Wait up to 45 s until a batch, tasks, questions or missions have ended. Says what is open; call it again, also after a restart. Then result.',
  needs: 'read',
  hints: READS,
  input: z.strictObject({
    ...targetFields,
    until: z.enum(['all', 'any']).default('all').describe('any: back as soon as one more has ended'),
    seconds: z.number().min(0).max(MOST_S).default(MOST_S),
  }),
  output: z.object({
    total: z.int(),
    done: z.int(),
    failed: z.int().optional(),
    failures: z.array(z.string()).optional().describe('id and reason'),
    cancelled: z.number().optional(),
    parked: z.int().optional(),
    missing: z.int().optional(),
    running: z.int().optional(),
    open: z.int().optional(),
    ended: z.string().optional().describe('lines of the batch, or ids'),
    not_ended: z.string().optional(),
    blocked: z.string().optional().describe('why the rest makes no progress'),
    next: z.string(),
  }),
  async run(call, given) {
    const target = toTarget('wait', given);
    const { view, blocked } = await waitForWork(call, target, given.until, given.seconds * 1_000);
    return {
      ...describeWork(view, target),
      ...(blocked === null ? {} : { blocked }),
      next: toNext(view, blocked),
    };
  },
});

function toNext(view: WorkView, blocked: string | null): string {
  if (hasEnded(view) && view.done === 0 && view.failed + view.cancelled > 0) {
    return view.failed > 0 ? 'failed' : 'tell the person';
  }
  if (hasEnded(view)) return 'result';
  if (view.isLoading) return 'delegate';
  return blocked === null ? 'wait' : 'tell the person';
}

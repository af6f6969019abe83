import { z } from 'zod';
import { defineTool } from '../tool/types.ts';
import { assertOwn } from '../work/assert-own.ts';
import { toTarget, targetFields } from '../work/target.ts';

const NAMED = 10;

/** Ends open work. */
export const cancel = defineTool({
  name: 'cancel',
  title: 'Cancel work',
  description:
    'Cancel tasks, questions or missions that have not ended, or all of a batch. What they have cost stays booked.',
  needs: 'delegate',
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject(targetFields),
  output: z.object({ cancelled: z.int(), refused: z.array(z.string()).optional() }),
  async run(call, given) {
    const target = toTarget('cancel', given);
    await assertOwn(call, 'cancel', target);
    const { count, refused } = await call.fleet.cancel(target);
    return { cancelled: count, ...(refused.length === 0 ? {} : { refused: nameRefused(refused) }) };
  },
});

/** The first of those that were refused, each with its rule. */
export function nameRefused(refused: readonly { message: string }[]): string[] {
  const named = refused.slice(0, NAMED).map(({ message }) => message.slice(0, 300));
  return refused.length > NAMED ? [...named, `… ${refused.length - NAMED} more`] : named;
}

import { z } from 'zod';
import { isCancelled } from '../../jobs/cancelled.ts';
import { toOneLine } from '../../text/one-line.ts';
import { toMaterial } from '../../text/quoting/material.ts';
import { fitLines, PAGE_TOKENS } from '../answer/pages.ts';
import { onlyGiven } from '../tool/only-given.ts';
import { defineTool, READS } from '../tool/types.ts';

/** What failed, and what repairs it. */
export const failed = defineTool({
  name: 'failed',
  title: 'What failed',
  description: 'Why work failed, or was cancelled, by reason, with examples and what repairs each. Then retry.',
  needs: 'read',
  hints: READS,
  input: z.strictObject({
    batch: z.string().min(1).max(200).optional(),
    session: z.string().min(1).max(200).optional(),
    reason: z.string().min(1).max(100).optional(),
  }),
  output: z.object({
    failed: z.int(),
    reasons: z.record(z.string(), z.int()),
    repair: z.array(z.string()).optional(),
    material: z.string().optional(),
  }),
  async run({ fleet, redact }, given) {
    const groups = await fleet.failed(onlyGiven(given));
    const lines = groups.flatMap(({ kind, reason, examples }) =>
      examples.map(({ id, text, description }) =>
        toOneLine(redact(`${id} (${kind}) ${reason}: ${text} | asked: ${description}`), 400),
      ),
    );
    const shown = fitLines(lines, PAGE_TOKENS - 1_000);
    return {
      failed: groups.reduce((sum, { reason, count }) => sum + (isCancelled(reason) ? 0 : count), 0),
      reasons: toCounts(groups),
      ...(groups.length === 0
        ? {}
        : { repair: groups.slice(0, 15).map(({ reason, repair }) => `${reason}: ${repair}`) }),
      ...(shown.length === 0
        ? {}
        : { material: toMaterial('failed work: what it was asked and why it failed', shown.join('\n')) }),
    };
  },
});

function toCounts(groups: readonly { kind: string; reason: string; count: number }[]): Record<string, number> {
  const named = groups
    .slice(0, 30)
    .map(({ kind, reason, count }) => [kind === 'task' ? reason : `${kind} ${reason}`, count] as const);
  return Object.fromEntries(named);
}

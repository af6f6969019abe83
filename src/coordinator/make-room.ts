import type { StepContext } from './step-context.ts';

/** SPEC: with more live findings than this no new mission starts. */
const MOST_FINDINGS = 5_000;

/** Has old findings condensed where there are too many of them, before a mission begins. */
export async function makeRoom(ctx: StepContext): Promise<void> {
  const live = await ctx.redis.zcard(ctx.keys.index);
  if (live <= MOST_FINDINGS) return;
  await ctx.note(`${live.toLocaleString('en-US')} live findings, more than ${MOST_FINDINGS.toLocaleString('en-US')}`);
}

import type { StepContext } from '../step/types.ts';
import { savePaper } from './record.ts';
import type { PaperStop } from './types.ts';

/** What one stop needs to be told apart from the next. */
export type NewStop = Pick<PaperStop, 'step' | 'reason' | 'detail' | 'belowShare'>;

/** The archive fails the paper: the whole fleet stands until a person has looked. Source: SPEC, "Rules that stop the fleet". */
const HALTS: ReadonlySet<PaperStop['reason']> = new Set(['shard', 'malformed']);

/** Ends the run: the paper stands until a person chooses. Where the archive fails it, the fleet is halted too. */
export async function blockPaper(ctx: StepContext, { step, reason, detail, belowShare }: NewStop): Promise<never> {
  const at = ctx.now().toISOString();
  const stop: PaperStop = { step, reason, detail, at, halted: false, ...(belowShare === true ? { belowShare } : {}) };
  await savePaper(ctx.db, ctx.id, { stop });
  return stayBlocked(ctx, stop);
}

/**
 * Ends the run of a paper that stands. A run that died between storing the stop and halting halts here; one that was let
 * go on without a choice stands again, and halts nothing a second time.
 */
export async function stayBlocked(ctx: StepContext, stop: PaperStop): Promise<never> {
  if (HALTS.has(stop.reason) && !stop.halted) {
    await ctx.halt.halt({
      reason: stop.reason,
      step: `paper ${ctx.id}, ${stop.step}`,
      by: ctx.workerId,
      detail: `${stop.detail}; mission ${ctx.id}`,
      mission: ctx.id,
    });
    await savePaper(ctx.db, ctx.id, { stop: { ...stop, halted: true } });
    await ctx.count('papers_halted');
  }
  return ctx.askPerson(describeStop(ctx.id, stop));
}

/** What stands in the way, and what the person can do about it. */
function describeStop(id: string, stop: PaperStop): string {
  return `${stop.step}: ${stop.detail}. ${describeDecisions(id, stop)}`;
}

function describeDecisions(id: string, { reason, belowShare }: PaperStop): string {
  const retry = `fleet resume ${id} --retry`;
  const skip = `fleet resume ${id} --skip-gemini (from findings read by id)`;
  const park = `fleet park ${id}`;
  switch (reason) {
    case 'shards':
      return belowShare === true
        ? `Fewer than 80 % of the shards work: it does not go on with them. Once they are mended ${retry}; or ${skip}, or ${park}`
        : `${retry} tests them again, fleet resume ${id} --accept-shards goes on without the failing ones; or ${skip}, or ${park}`;
    case 'reply':
      return `${retry} asks the writer anew; or ${park}`;
    case 'shard':
    case 'malformed':
    case 'query':
      return `${retry} tries the step again; or ${skip}, or ${park}`;
  }
}

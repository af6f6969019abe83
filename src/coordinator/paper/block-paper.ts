import type { MissionRun } from '../step/run.ts';
import { savePaper } from './record.ts';
import type { PaperStop } from './types.ts';
import { countEvent } from '../../swarm/count-event.ts';

/** What a step states about the stop it needs. */
type NewStop = Pick<PaperStop, 'step' | 'reason' | 'detail' | 'belowShare'>;

/** The members of a run that a step needs to block the paper. */
export type BlockRun = Pick<MissionRun, 'db' | 'halt' | 'workerId' | 'now' | 'mission' | 'job'>;

/** Reasons that also halt the whole fleet. Source: SPEC, "Rules that stop the fleet". */
const HALTS: ReadonlySet<PaperStop['reason']> = new Set(['shard', 'malformed']);

/** Ends the run and blocks the paper until a person decides. If the archive failed the paper, the fleet halts too. */
export async function blockPaper(run: BlockRun, { step, reason, detail, belowShare }: NewStop): Promise<never> {
  const blockedAt = run.now().toISOString();
  const stop: PaperStop = {
    step,
    reason,
    detail,
    at: blockedAt,
    halted: false,
    ...(belowShare === true ? { belowShare } : {}),
  };
  await savePaper(run.db, run.mission.id, { stop });
  return stayBlocked(run, stop);
}

/**
 * Ends the run of a paper that has a stop. If the run that stored the stop died before it halted the fleet, this call
 * halts it. A paper that was released without a decision is blocked again and halts nothing a second time.
 */
export async function stayBlocked(run: BlockRun, stop: PaperStop): Promise<never> {
  const { db, halt, job, workerId } = run;
  const { id } = run.mission;
  if (HALTS.has(stop.reason) && !stop.halted) {
    await halt.halt({
      reason: stop.reason,
      step: `paper ${id}, ${stop.step}`,
      by: workerId,
      detail: `${stop.detail}; mission ${id}`,
      mission: id,
    });
    await savePaper(db, id, { stop: { ...stop, halted: true } });
    await countEvent(db, 'papers_halted');
  }
  return job.askPerson(describeStop(id, stop));
}

/** The problem, and what the person can decide. */
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

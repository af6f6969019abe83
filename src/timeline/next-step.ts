import type { QueueName } from '../../queues/registry.ts';
import { isCancelled } from '../jobs/cancelled.ts';
import type { Blocker } from '../jobs/state/blocked.ts';
import { choicesOf } from '../status/render/halt-choices.ts';
import { toOneLine } from '../text/one-line.ts';
import { adviceFor } from '../tasks/repair/advice.ts';
import type { JobDetails } from './types.ts';

/** Why a job does not run, or failed, and the command line that helps. Null: nothing holds it up. */
export function toNextStep({
  id,
  queue,
  failure,
  blocker,
}: {
  id: string;
  queue: QueueName;
  failure: JobDetails['failure'];
  blocker: Blocker | null;
}): JobDetails['waits'] {
  if (failure !== null) {
    if (isCancelled(failure.reason)) return { why: 'a person cancelled it', command: `fleet retry ${id}` };
    const kind = { id, isQuestion: queue === 'archive', isMission: queue === 'missions' };
    return { why: `it failed: ${failure.reason}`, command: adviceFor(failure.reason, kind) };
  }
  return blocker === null ? null : toStep(id, blocker);
}

function toStep(id: string, blocker: Blocker): { why: string; command: string } {
  switch (blocker.kind) {
    case 'halted': {
      const [choice] = choicesOf(blocker.halt);
      const { reason, detail } = blocker.halt;
      const why = `the fleet is halted: ${reason}${detail === '' ? '' : ` (${toOneLine(detail, 200)})`}`;
      return { why, command: choice?.command ?? 'fleet resume' };
    }
    case 'planned':
      return { why: 'its plan waits for approval', command: `fleet mission run ${id}` };
    case 'asks':
      return { why: `it asks: ${blocker.problem}`, command: `fleet resume ${id} --retry, or --answer "…"` };
    case 'parked': {
      const { command } = splitAdvice(blocker.waitsFor); // it names the mission, also for one of its tasks
      return { why: `a person set ${command.endsWith(` ${id}`) ? 'it' : 'its mission'} aside`, command };
    }
    case 'waits-for-budget':
      return splitAdvice(blocker.waitsFor);
    case 'offered':
      return { why: 'it waits for an outside worker', command: `fleet claim --task ${id} --as NAME` };
    case 'no-worker':
      return { why: `no ${blocker.process === 'haiku' ? 'worker' : blocker.process} is up`, command: 'fleet up' };
    case 'waits-for-provider':
      return { why: blocker.why, command: '' };
  }
}

/** @param waitsFor as `describeParked` words it: `budget; a higher one releases it: fleet budget USD --batch nightly` */
function splitAdvice(waitsFor: string): { why: string; command: string } {
  const [, why = waitsFor, command = ''] = /^([^;]*);.*?\b(fleet .*?)(?: lets it go on)?$/.exec(waitsFor) ?? [];
  return { why: `it is parked for its ${why}`, command };
}

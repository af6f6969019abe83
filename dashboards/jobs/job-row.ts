import type { ListedJob, ListedState } from '../../src/jobs/find/types.ts';
import { toVisible } from '../access/visible-text.ts';

/** What a person can do with a job in its page. */
export type JobAction = 'retry' | 'cancel';

/** What the commands `fleet retry` and `fleet cancel` accept of each state. They decide again when they are asked. */
const ACTIONS: Record<ListedState, JobAction | null> = {
  running: 'cancel',
  waiting: 'cancel',
  delayed: 'cancel',
  parked: 'cancel',
  failed: 'retry',
  cancelled: 'retry',
  done: null,
};

export function toAction(state: ListedState): JobAction | null {
  return ACTIONS[state];
}

/** A job as the list shows it. */
export function toJobRow(job: ListedJob) {
  const { id, kind, queue, state, reason, why, at, model, costNanoUsd, batch, mission, finding, text } = job;
  return {
    id,
    kind,
    queue,
    state,
    reason,
    why: why === null ? null : toVisible(why),
    at,
    model,
    costNanoUsd,
    batch,
    mission,
    finding,
    text: toVisible(text),
    action: toAction(state),
  };
}

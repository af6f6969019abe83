import { isCancelled } from '../../jobs/cancelled.ts';
import type { MissionRecord, MissionState } from './types.ts';

/** The state of a mission, for people and scripts. `cancelled`: by a person; its record keeps that as failed, as BullMQ does with the job. */
export type ShownState = MissionState | 'cancelled';

type Ended = Pick<MissionRecord, 'state' | 'problem'>;

export function toShownState({ state, problem }: Ended): ShownState {
  return state === 'failed' ? toFailedState(problem) : state;
}

/** How a mission ended whose job has failed or is gone: by its record, else by its job. @param reason of the job; null: it is gone */
export function toFailedEnd(
  record: Ended | null,
  reason: string | null,
): { state: 'failed' | 'cancelled'; problem: string } {
  const own = record?.state === 'failed' ? record.problem : '';
  const problem = own || (reason ?? 'there is no job of it');
  return { state: toFailedState(problem), problem };
}

function toFailedState(problem: string): 'failed' | 'cancelled' {
  return isCancelled(problem) ? 'cancelled' : 'failed';
}

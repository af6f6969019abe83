import { isCancelled } from '../../jobs/cancelled.ts';
import type { MissionRecord, MissionState } from './types.ts';

/** The state of a mission, for people and scripts. `cancelled`: by a person; its record keeps that as failed, as BullMQ does with the job. */
export type ShownState = MissionState | 'cancelled';

export function toShownState({ state, problem }: Pick<MissionRecord, 'state' | 'problem'>): ShownState {
  return state === 'failed' && isCancelled(problem) ? 'cancelled' : state;
}

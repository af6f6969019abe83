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

/** What tells where a mission is. */
interface Place extends Pick<MissionRecord, 'step' | 'problem' | 'finding' | 'added'> {
  state: ShownState;
}

/** A dry run ends with its plan; every other mission that is done has a finding. */
export function isDryRun({ state, finding, added }: Pick<Place, 'state' | 'finding' | 'added'>): boolean {
  return state === 'done' && finding === null && added === 0;
}

/** Whether the mission's plan waits until a person runs it. */
export function isPlanned(mission: Pick<Place, 'state' | 'finding' | 'added'>): boolean {
  return mission.state === 'planned' || isDryRun(mission);
}

/** Whether nothing of the mission goes on by itself, and nobody is to decide about its plan. */
export function hasEnded(mission: Pick<Place, 'state' | 'finding' | 'added'>): boolean {
  return ['done', 'failed', 'cancelled'].includes(mission.state) && !isDryRun(mission);
}

/** Where a mission is, in a few words for people: `synthesise`, `waits for approval`. */
export function describeState(mission: Place): string {
  const { state, step, problem } = mission;
  if (isDryRun(mission)) return 'dry run, waits for approval';
  if (state === 'planned') return 'waits for approval';
  if (state !== 'running') return state;
  // The record of a mission whose jobs are parked for a budget is still `running`.
  return /^(parked:|all it waits for is parked)/.test(problem) ? `${step}, parked` : step;
}

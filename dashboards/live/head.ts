import type { StatusSnapshot } from '../../src/status/types.ts';
import { toMarks, type Marks } from './marks.ts';

/** What the fleet does, in one word. */
type FleetState = 'halted' | 'paused' | 'no workers' | 'working' | 'idle';

/** What the header of every page shows. */
export interface Head {
  /** Redis' clock. */
  at: string;
  swarm: string;
  session: string | null;
  kind: StatusSnapshot['kind'];
  state: FleetState;
  /** Why it is in this state, for people; empty: there is nothing to add. */
  why: string;
  /** Of the UTC day, nano-dollars: settled, reserved and uncertain. `limitNanoUsd` null: there is no limit. */
  budget: { usedNanoUsd: number; limitNanoUsd: number | null };
  /** What a page compares to know whether it must read itself again. */
  marks: Marks;
}

export function toHead(snapshot: StatusSnapshot): Head {
  const { at, swarm, session, kind, budget } = snapshot;
  const { settledNanoUsd, reservedNanoUsd, uncertainNanoUsd, limitNanoUsd } = budget;
  const usedNanoUsd = settledNanoUsd + reservedNanoUsd + uncertainNanoUsd;
  return {
    at,
    swarm,
    session: session.name,
    kind,
    ...toState(snapshot),
    budget: { usedNanoUsd, limitNanoUsd },
    marks: toMarks(snapshot),
  };
}

function toState({ halt, queues, ...rest }: StatusSnapshot): Pick<Head, 'state' | 'why'> {
  if (halt !== null)
    return { state: 'halted', why: halt.detail === '' ? halt.reason : `${halt.reason}: ${halt.detail}` };
  const paused = queues.filter((queue) => queue.paused).map(({ name }) => name);
  if (paused.length > 0) return { state: 'paused', why: `queue ${paused.join(', ')}` };
  const unattended = rest.tasksWithoutWorker + rest.questionsWithoutLibrarian + rest.missionsWithoutCoordinator;
  if (unattended > 0) return { state: 'no workers', why: 'jobs wait that no process takes' };
  return { state: queues.some(({ active }) => active > 0) ? 'working' : 'idle', why: '' };
}

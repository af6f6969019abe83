import { VENDORS, type StatusSnapshot, type Vendor } from '../types.ts';

/** The cheap model's part of the session's work. Each share is 0..1, and null where the whole is 0. */
export interface Delegation {
  haikuTasks: number | null;
  sonnetTasks: number | null;
  haikuTokens: number | null;
  haikuCost: number | null;
  /** Of the coordinator's own calls. They are no tasks, and Sonnet's tokens and cost include them. */
  coordinatorTokens: number | null;
  coordinatorCost: number | null;
  /** At least 90 % of the tasks, and at least one task. */
  onTarget: boolean;
}

const TARGET = 0.9;

export function delegationOf(snapshot: StatusSnapshot): Delegation {
  const { spend, coordinator } = snapshot;
  const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);
  const sum = (measure: 'tasks' | 'tokens'): number =>
    VENDORS.reduce((total, vendor) => total + spend[vendor][measure], 0);
  const haikuTasks = share(spend.haiku.tasks, sum('tasks'));
  return {
    haikuTasks,
    sonnetTasks: share(spend.sonnet.tasks, sum('tasks')),
    haikuTokens: share(spend.haiku.tokens, sum('tokens')),
    haikuCost: share(spend.haiku.nanoUsd, totalNanoUsd(snapshot)),
    coordinatorTokens: share(coordinator.tokens, sum('tokens')),
    coordinatorCost: share(coordinator.nanoUsd, totalNanoUsd(snapshot)),
    onTarget: haikuTasks !== null && haikuTasks >= TARGET,
  };
}

/** The session's cost over all vendors, with what other programs added. */
export function totalNanoUsd(snapshot: StatusSnapshot): number {
  return VENDORS.reduce((total, vendor: Vendor) => total + snapshot.spend[vendor].nanoUsd, 0);
}

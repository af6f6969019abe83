import { toVendorName } from '../../pricing/vendor-name.ts';
import type { StatusSnapshot } from '../types.ts';

/** One vendor's part of the session's work. Each share is 0..1, and null where the whole is 0. */
interface VendorShare {
  vendor: string;
  /** For people. */
  name: string;
  tasks: number | null;
  /** Of what tasks and the coordinator used. The librarians' calls are in no share. */
  tokens: number | null;
  cost: number | null;
}

/** Who does the session's work. Each share is 0..1, and null where the whole is 0. */
export interface Delegation {
  /** Of the tasks: those on any model that is not of the coordinator's class. */
  delegatedTasks: number | null;
  haikuTasks: number | null;
  sonnetTasks: number | null;
  haikuTokens: number | null;
  haikuCost: number | null;
  /** Of the coordinator's own calls. They are no tasks, and its vendor's tokens and cost include them. */
  coordinatorTokens: number | null;
  coordinatorCost: number | null;
  /** At least 90 % of the tasks are delegated, and there is at least one task. */
  onTarget: boolean;
  /** False: workers use the coordinator's class of model, so that there is nothing to delegate. */
  hasTarget: boolean;
  /** Those that did a task, in the order of `spend`. */
  vendors: VendorShare[];
}

const TARGET = 0.9;

export function delegationOf(snapshot: StatusSnapshot): Delegation {
  const { spend, coordinator, archive, lead } = snapshot;
  const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);
  const sum = (measure: 'tasks' | 'tokens'): number =>
    Object.values(spend).reduce((total, vendor) => total + vendor[measure], 0);
  const tasks = sum('tasks');
  const tokens = sum('tokens') - archive.tokens;
  const cost = totalNanoUsd(snapshot) - archive.nanoUsd;
  const delegatedTasks = share(tasks - Math.min(tasks, lead?.tasks ?? spend.sonnet.tasks), tasks);
  return {
    delegatedTasks,
    haikuTasks: share(spend.haiku.tasks, tasks),
    sonnetTasks: share(spend.sonnet.tasks, tasks),
    haikuTokens: share(spend.haiku.tokens, tokens),
    haikuCost: share(spend.haiku.nanoUsd, cost),
    coordinatorTokens: share(coordinator.tokens, tokens),
    coordinatorCost: share(coordinator.nanoUsd, cost),
    onTarget: delegatedTasks !== null && delegatedTasks >= TARGET,
    hasTarget: lead?.isWorkers !== true,
    vendors: Object.entries(spend)
      .filter(([, of]) => of.tasks > 0)
      .map(([vendor, of]) => ({
        vendor,
        name: toVendorName(vendor),
        tasks: share(of.tasks, tasks),
        tokens: share(of.tokens, tokens),
        cost: share(of.nanoUsd, cost),
      })),
  };
}

/** The session's cost over all vendors, with what other programs added. */
export function totalNanoUsd({ spend }: StatusSnapshot): number {
  return Object.values(spend).reduce((total, { nanoUsd }) => total + nanoUsd, 0);
}

import type { LeftOutcome, PatchSelection } from '../types.ts';

/**
 * What became of one patch. `applied`: its commit is on the branch. `fits`: it would be applied (a dry run). `already`: HEAD
 * held it, as a person merged or picked it. `discarded`, `undone`: as asked. The others: it was left out, and why.
 */
export type PatchOutcomeKind = 'applied' | 'fits' | 'discarded' | 'undone' | LeftOutcome;

export interface PatchOutcome {
  findingId: string;
  taskId: string;
  workspace: string;
  /** First line of the commit's message. */
  subject: string;
  outcome: PatchOutcomeKind;
  /** The commit that applied or undid it, or that holds it; of a discarded one its head. Null: there is none. */
  commit: string | null;
  /** The paths for which it was left out. */
  paths: string[];
  /** Why it was left out; of a red check the tail of its output. Empty: it was not. */
  why: string;
}

export interface PatchReport {
  patches: PatchOutcome[];
  /** Of `pr`: what `gh` wrote, the address; or why there is none. Absent: none was asked for, or no patch was applied. */
  pullRequest?: { opened: boolean; text: string };
  /** What a person must know besides. Empty for most. */
  notes: string[];
}

export interface ApplyOptions extends PatchSelection {
  /** Merges with the versions that a patch was made from, where HEAD has changed around it. Default false. */
  threeWay?: boolean;
  /** Only finds out what would happen. Default false. */
  dryRun?: boolean;
  /** Command line by which each patch is tested in a tree of its own; those for which it fails are left out. */
  check?: string;
  /** Short name of a branch to which the commits go, instead of HEAD; the working tree stays as it is. */
  branch?: string;
  /** Pushes the branch with the person's git and opens a pull request with their `gh`. Only with FLEET_PR=1. Default false. */
  pr?: boolean;
  /** Called before each check. @param at from 1 */
  onCheck?: (at: number, of: number, subject: string) => void;
  /** Called with the patches that are left out, before anything is changed. Again if the person's tree moved meanwhile. */
  onLeft?: (left: PatchOutcome[]) => void;
  /** Called with what a person must know before anything is changed. */
  onWarning?: (text: string) => void;
  /** Ends the planning and the checks. */
  signal?: AbortSignal;
}

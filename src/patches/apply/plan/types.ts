import type { LeftOutcome, PatchRecord } from '../../types.ts';
import type { Git } from '../../../git/git.ts';
import type { BlockedPath } from '../person/find-dirty.ts';
import type { Identity } from '../person/person-settings.ts';
import type { TreeChange } from '../person/tree-changes.ts';

export interface LeftPatch {
  record: PatchRecord;
  outcome: LeftOutcome;
  why: string;
  /** As people read them. */
  paths: string[];
  /** Of `already`: the commit that holds it. */
  commit: string | null;
}

/** A patch with the commit that applying it makes. */
export interface PlannedPatch {
  record: PatchRecord;
  commit: string;
  changes: TreeChange[];
}

export interface ApplyPlan {
  /** Commit on which the plan was made. */
  onto: string;
  /** The commit to go to; the same as `onto` if no patch fits. */
  next: string;
  /** In the order of their commits. */
  planned: PlannedPatch[];
  left: LeftPatch[];
}

export interface PlanInput {
  /** With a private index. */
  git: Git;
  /** The commit to begin from. */
  onto: string;
  /** Null: the author of a patch commits it. */
  committer: Identity | null;
  isThreeWay: boolean;
  /** Reads the text of a patch. @returns null: nothing of it is kept */
  readText: (record: PatchRecord) => Promise<Buffer | null>;
  /** Finds the paths that may not be replaced. Of each change `old` is what `onto` holds. */
  findBlocked: (changes: readonly TreeChange[]) => Promise<BlockedPath[]>;
  /** Tests a commit. @returns null: it is green; else the tail of the output. Null instead of it: nothing is tested */
  check: ((commit: string, record: PatchRecord) => Promise<string | null>) | null;
}

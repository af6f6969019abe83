import type { Finding, FindingPatch } from '../findings/finding.ts';

/** What the fleet keeps of a patch, besides its text. All instants are ISO 8601, UTC. */
export interface PatchRecord extends Omit<FindingPatch, 'files'> {
  /** Its key: the id of the finding that carries it. */
  findingId: string;
  /** Id of the task's job. */
  taskId: string;
  /** Name of the workspace. */
  workspace: string;
  /** Host on whose disk the task worked: there are its tree and the objects of its commits. */
  host: string;
  /** `fleet/<task id>`, a branch of the person's repository. */
  branch: string;
  /** The whole message of the one commit that applying the patch makes, with trailers. Its first line is the subject. */
  message: string;
  /** `Name <address>`. */
  author: string;
  /** The changed files, as the finding's `changes`. */
  changes: Finding['changes'];
  /** What the tree held and the patch does not, with the reason. Empty: nothing. */
  leftOut: { path: string; why: string }[];
  /** Finding ids of the patches that the task began with, in the order in which they apply. */
  buildsOn: string[];
  /** Finding ids of patches whose changes this one holds, because they do not fit beside those it builds on. Absent: none. */
  carries?: string[];
  /** Its stored text has marks in place of secrets, so that only its commit can be applied. Absent: it held none. */
  isRedacted?: true;
  batch: string | null;
  missionId: string | null;
  createdAt: string;
  /** The commit that a person's `fleet apply` made. Null: never applied. */
  applied: { commit: string; /** Full name of the branch, or null. */ onto: string | null; at: string } | null;
  /** The commit that took it back. Null: it was not. */
  undone: { commit: string; at: string } | null;
  /** Why it did not fit when a person last tried, and where. Null: it never failed to fit. */
  conflict: { paths: string[]; why: string; at: string } | null;
}

/** What becomes true of a patch by one effect. */
export interface StateMark {
  findingId: string;
  state: PatchRecord['state'];
  applied?: PatchRecord['applied'];
  undone?: PatchRecord['undone'];
  conflict?: PatchRecord['conflict'];
}

/** Which patches a command is about: named ones, or the open ones of a batch or mission. Exactly one of the three. */
export interface PatchSelection {
  /** Finding ids or task ids. */
  ids?: readonly string[];
  batch?: string;
  mission?: string;
}

/**
 * Why a patch is not applied. `conflict`: it does not fit on HEAD. `dirty`: a path has a change of the person's. `red`: the
 * check failed. `refused`: it cannot be applied here, whatever HEAD is. `already`: HEAD holds it.
 */
export type LeftOutcome = 'conflict' | 'dirty' | 'red' | 'refused' | 'already';

/** The task trees on one host's disk. */
export interface TreeHost {
  host: string;
  /** When the host's last sweep ended, ms since 1970. */
  at: number;
  /** Count of all task trees on its disk. */
  trees: number;
  /** Bytes of the files that were checked out; what tasks made in them is not counted. */
  bytes: number;
  /** Trees of tasks that have ended: their patches wait for a person, or they hold something that no commit holds. */
  left: number;
  /** Those of them that hold something that no commit holds. They are never removed by themselves. */
  withWork: number;
  /** `FLEET_WORKTREES_KEEP` of that host. */
  keep: number;
}

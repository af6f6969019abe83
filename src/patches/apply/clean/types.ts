/** A task tree on this host's disk, and what becomes of it. */
export interface WorktreeLine {
  taskId: string;
  findingId: string;
  workspace: string;
  /** State of the task's job while it has not ended, else of its patch; `failed`; `left`: neither is there any more. */
  state: string;
  folder: string;
  /** Of all files in it; a file with two names counts once for each. */
  bytes: number;
  madeAt: string;
  /** Why it cannot be removed. Empty: all that it holds is in a commit that a branch, a patch or HEAD keeps. */
  kept: string;
}

export interface WorktreeReport {
  /** The trees that are there, oldest first. */
  trees: WorktreeLine[];
  /** Those that were removed. Without `prune` none. */
  removed: WorktreeLine[];
}

import type { PatchRecord } from '../types.ts';

/** How a path came out of a merge in which both sides changed it. */
export interface ConflictPath {
  path: string;
  /** `lines`: the file has both sides between markers. `deleted`: one side deleted it, and the file is as the other side has it. */
  kind: 'lines' | 'deleted';
}

/** A patch that does not fit beside those before it, and where. */
export interface MergeConflict {
  findingId: string;
  /** First line of the patch's message. */
  subject: string;
  paths: ConflictPath[];
}

/** What a task begins with that builds on patches. The same patches on the same commit give the same, on every host. */
export interface PatchMerge {
  /** The person's commit on which the patches were merged. */
  head: string;
  /** `head` with the patches that fit, a commit each. What the task changes is told from this one. */
  commit: string;
  /** Finding ids of the patches in `commit`, in the order in which they apply. */
  buildsOn: string[];
  /** Finding ids of the patches that do not fit on `commit`: the task's patch carries them. */
  carries: string[];
  /** Tree with all patches, with markers where they conflict. Null: the tree of `commit`. */
  start: string | null;
  conflicts: MergeConflict[];
}

export interface MergeInput {
  /** Id of the commit to begin from. */
  head: string;
  /** In the order in which they apply. */
  patches: readonly PatchRecord[];
  /** Reads the stored text of a patch, which stands in for objects that are not here. Null: it is not kept, or not whole. */
  readText(record: PatchRecord): Promise<Buffer | null>;
}

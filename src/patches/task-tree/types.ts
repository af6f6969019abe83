import { z } from 'zod';
import type { GitAuthor } from '../../config/git-author.ts';
import type { Repository } from '../../git/repository.ts';
import type { PatchMerge } from '../merge/types.ts';

/** What a task's tree begins from. It is stored with the task's first reply, so before any tool. */
export interface TreeBase {
  /** Names the tree. A task that is tried afresh gets another one. */
  tree: string;
  commit: string;
  /** Finding ids of the patches that `commit` holds besides the person's HEAD. */
  buildsOn: string[];
  /** How `commit` was made. Absent: it is the person's HEAD. */
  merge?: MergedBase;
}

/** A base that was merged. It is made again, id for id, where its objects are lost or another host has the task. */
interface MergedBase extends Pick<PatchMerge, 'head' | 'carries' | 'start' | 'conflicts'> {
  /** Finding ids of all merged patches, in the order in which they were. */
  patches: string[];
}

/** A file that the repository keeps through a filter program. No filter runs, so the tree holds what the person's does. */
const filteredSchema = z.object({ path: z.string(), driver: z.string(), sha256: z.string() });

/** What `tree.json` beside a tree tells of it. */
export const treeInfoSchema = z.object({
  version: z.literal(1),
  task: z.string(),
  finding: z.string(),
  tree: z.string(),
  workspace: z.string(),
  /** Real path of the workspace. */
  root: z.string(),
  base: z.string(),
  buildsOn: z.array(z.string()),
  /** Finding ids of patches that do not fit on `base`: the tree begins with them, and its patch holds them. */
  carries: z.array(z.string()).default([]),
  /** Branch in the person's repository, without `refs/heads/`. */
  branch: z.string(),
  /** Commits that the fleet has moved the branch to; the last one is newest. */
  heads: z.array(z.string()),
  host: z.string(),
  swarm: z.string(),
  madeAt: z.string(),
  filtered: z.array(filteredSchema),
  submodules: z.array(z.string()),
  /** Whether attributes or settings could change what files hold: line endings, filters. */
  mayConvert: z.boolean(),
  /** Of the files that were checked out. */
  bytes: z.number(),
  /** Ignored names that are links to the person's. */
  links: z.array(z.string()),
  /** Whether tools of stored turns still have to run again in it: until then it holds nothing of its own. */
  isRebuilding: z.boolean(),
});

export type TreeInfo = z.output<typeof treeInfoSchema>;
export type FilteredFile = z.output<typeof filteredSchema>;

/** A task's own working tree on this host. All paths are absolute. */
export interface TaskTree {
  /** Holds `tree/`, `git/` and `tree.json`. */
  folder: string;
  /** Root of the working tree. */
  root: string;
  /** The private git directory. */
  gitDir: string;
  info: TreeInfo;
}

/** Whose tree it is, and where its repository lies. */
export interface TreeOwner {
  taskId: string;
  findingId: string;
  /** Name of the workspace. */
  workspace: string;
  repository: Repository;
  swarm: string;
  host: string;
  /** See `TreeInfo`. */
  isRebuilding: boolean;
}

/** What a host's configuration says about trees. */
export interface TreeSettings {
  /** Folder of all trees of the swarm. */
  worktrees: string;
  /** Ignored paths of the workspace that trees link, `node_modules`. */
  links: readonly string[];
  author: GitAuthor;
  /** Whether a path has the name of a secret. */
  isGuarded(path: string): boolean;
}

/** Something of a tree that its patch does not hold. */
export interface LeftOut {
  path: string;
  why: string;
}

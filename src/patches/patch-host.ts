import type { GitAuthor } from '../config/git-author.ts';
import type { Db } from '../redis/db.ts';

/** Where patches are worked: the swarm, and what this host has of it. */
export interface PatchHost {
  db: Db;
  /** Absolute path by name of workspace: `FLEET_WORKSPACES`. */
  workspaces: Readonly<Record<string, string>>;
  /** Folder of the fleet's data on this host. */
  dataFolder: string;
  /** Null: the default one. */
  swarm: string | null;
  /** Ignored paths of a workspace that trees link: `FLEET_WORKTREE_LINKS`. */
  links: readonly string[];
  /** Author of commits that the fleet makes of what it finds: `FLEET_GIT_AUTHOR`. */
  author: GitAuthor;
  /** Whether branches may be pushed and pull requests opened: `FLEET_PR=1`. */
  mayPublish: boolean;
  /** Whether a path has the name of a secret. */
  isGuarded(path: string): boolean;
}

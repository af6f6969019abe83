import type { Db } from '../../redis/db.ts';

/** Where patches are applied: the swarm, and what this host has of it. */
export interface PatchHost {
  db: Db;
  /** Absolute path by name of workspace. */
  workspaces: Readonly<Record<string, string>>;
  /** Folder of the fleet's data on this host. */
  dataFolder: string;
}

import type { Config } from '../config/environment.ts';
import { toGitAuthor } from '../config/git-author.ts';
import { isGuardedName } from '../haiku/tools/files/secret-names.ts';
import { applyPatches } from '../patches/apply/apply-patches.ts';
import { listWorktrees } from '../patches/apply/clean/prune-trees.ts';
import { discardPatches } from '../patches/apply/discard-patches.ts';
import { undoPatches } from '../patches/apply/undo-patches.ts';
import type { PatchHost } from '../patches/patch-host.ts';
import { readPatchText } from '../patches/record.ts';
import { findPatch, listOpenPatches, requirePatch } from '../patches/select.ts';
import { withRedisErrors } from '../redis/connect.ts';
import type { Db } from '../redis/db.ts';
import type { FleetPatches } from './types.ts';

/** Creates the `patches` of a connected fleet, which changes the workspaces of this host. */
export function createFleetPatches(db: Db, config: Config): FleetPatches {
  const host = toPatchHost(db, config);
  const guard = <T>(work: () => Promise<T>): Promise<T> => withRedisErrors(config.REDIS_URL, work);
  return {
    list: ({ batch, mission } = {}) =>
      guard(async () =>
        (await listOpenPatches(db)).filter(
          (record) =>
            (batch === undefined || record.batch === batch) && (mission === undefined || record.missionId === mission),
        ),
      ),
    get: (id) => guard(() => findPatch(db, id)),
    diff: (id) => guard(async () => readPatchText(db, (await requirePatch(db, id)).findingId)),
    apply: (options) => guard(() => applyPatches(host, options)),
    discard: (selection) => guard(() => discardPatches(host, selection)),
    undo: (ids) => guard(() => undoPatches(host, ids)),
    worktrees: (options) => guard(() => listWorktrees(host, options)),
  };
}

function toPatchHost(db: Db, config: Config): PatchHost {
  return {
    db,
    workspaces: config.FLEET_WORKSPACES,
    dataFolder: config.dataFolder,
    swarm: config.FLEET_SWARM ?? null,
    links: config.FLEET_WORKTREE_LINKS,
    author: toGitAuthor(config.FLEET_GIT_AUTHOR),
    mayPublish: config.FLEET_PR === '1',
    isGuarded: isGuardedName,
  };
}

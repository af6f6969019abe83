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
import { withRedisErrors } from '../redis/errors/redis-errors.ts';
import type { Db } from '../redis/db.ts';
import type { ApplyOptions } from '../patches/apply/types.ts';
import type { PatchSelection } from '../patches/types.ts';
import { assertGiven, assertIds, assertOptions, assertText, namesOf } from './given/options.ts';
import type { FleetPatches } from './types.ts';

const SELECTION = namesOf<PatchSelection>({ ids: true, batch: true, mission: true });
const APPLY = namesOf<ApplyOptions>({
  ids: true,
  batch: true,
  mission: true,
  threeWay: true,
  dryRun: true,
  check: true,
  branch: true,
  pr: true,
  onCheck: true,
  onLeft: true,
  onWarning: true,
  signal: true,
});

/** Creates the `patches` of a connected fleet, which changes the workspaces of this host. */
export function createFleetPatches(db: Db, config: Config): FleetPatches {
  const host = toPatchHost(db, config);
  const guard = <T>(work: () => Promise<T>): Promise<T> => withRedisErrors(config.REDIS_URL, work);
  return {
    list: async (options = {}) => {
      assertOptions('patches.list', options, ['batch', 'mission']);
      const { batch, mission } = options;
      return guard(async () =>
        (await listOpenPatches(db)).filter(
          (record) =>
            (batch === undefined || record.batch === batch) && (mission === undefined || record.missionId === mission),
        ),
      );
    },
    get: async (id) => {
      assertText('patches.get: id', id);
      return guard(() => findPatch(db, id));
    },
    diff: async (id) => {
      assertText('patches.diff: id', id);
      return guard(async () => readPatchText(db, (await requirePatch(db, id)).findingId));
    },
    apply: async (options) => {
      assertGiven('patches.apply', options);
      assertOptions('patches.apply', options, APPLY);
      assertIds('patches.apply', options.ids);
      return guard(() => applyPatches(host, options));
    },
    discard: async (selection) => {
      assertGiven('patches.discard', selection);
      assertOptions('patches.discard', selection, SELECTION);
      assertIds('patches.discard', selection.ids);
      return guard(() => discardPatches(host, selection));
    },
    undo: async (ids) => {
      assertIds('patches.undo', ids);
      return guard(() => undoPatches(host, ids));
    },
    worktrees: async (options) => {
      assertOptions('patches.worktrees', options, ['prune']);
      return guard(() => listWorktrees(host, options));
    },
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

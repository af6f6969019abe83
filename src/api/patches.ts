import type { Config } from '../config/environment.ts';
import { applyPatches } from '../patches/apply/apply-patches.ts';
import type { PatchHost } from '../patches/apply/host.ts';
import { readPatchText } from '../patches/record.ts';
import { findPatch, listOpenPatches, requirePatch } from '../patches/select.ts';
import { withRedisErrors } from '../redis/connect.ts';
import type { Db } from '../redis/db.ts';
import type { FleetPatches } from './types.ts';

/** Creates the `patches` of a connected fleet, which changes the workspaces of this host. */
export function createFleetPatches(db: Db, config: Config): FleetPatches {
  const host: PatchHost = { db, workspaces: config.FLEET_WORKSPACES, dataFolder: config.dataFolder };
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
  };
}

import { createTaskHandle, type HandleParts } from './task-handle.ts';
import { withRedisErrors } from '../redis/connect.ts';
import { toMissionFindingId } from '../coordinator/mission/id.ts';
import { addMission, type MissionProducerParts } from '../coordinator/mission/enqueue.ts';
import { missionExists } from '../coordinator/mission/record.ts';
import { listMissions, readMissionStatus } from '../coordinator/mission/status.ts';
import type { FleetMissions, MissionHandle } from '../coordinator/mission/handle-types.ts';
import { readJob } from '../jobs/state/states.ts';

/** Creates the `missions` of a connected fleet. @param parts those of the missions' queue */
export function createFleetMissions(
  parts: HandleParts & MissionProducerParts & { currentSession: () => Promise<string> },
): FleetMissions {
  const { db, queueName, redisUrl } = parts;

  function toHandle(id: string, added: boolean, state: MissionHandle['state']): MissionHandle {
    const task = { id, added, state, wantedFindingId: toMissionFindingId(id) };
    return {
      ...createTaskHandle(parts, task, (value) => value),
      status: () => withRedisErrors(redisUrl, () => readMissionStatus(db, id)),
    };
  }

  return {
    async add(mission, { missionId, session } = {}) {
      const { id, added, state } = await withRedisErrors(redisUrl, async () =>
        addMission(parts, mission, { missionId, session: session ?? (await parts.currentSession()) }),
      );
      return toHandle(id, added, state);
    },
    async get(id) {
      const [{ state }, known] = await withRedisErrors(redisUrl, () =>
        Promise.all([readJob(db, queueName, id), missionExists(db, id)]),
      );
      return state === 'unknown' && !known ? null : toHandle(id, false, state);
    },
    list: ({ limit = 20, session } = {}) => withRedisErrors(redisUrl, () => listMissions(db, limit, session)),
  };
}

import type { MissionInput } from '../../queues/missions.ts';
import { createTaskHandle, type HandleParts } from '../jobs/task-handle.ts';
import type { TaskHandle } from '../jobs/task-shape.ts';
import { withPlainErrors } from '../redis/plain-errors.ts';
import { toMissionFindingId } from './mission-id.ts';
import { addMission, type MissionProducerParts } from './mission-producer.ts';
import { listMissions, readMissionStatus, type MissionStatus } from './mission-status.ts';

export interface AddMissionOptions {
  /** The mission's id; one of this id that exists is reported, never added twice. Default: a fresh random one. */
  missionId?: string;
  /** What it is booked to; default the session in force. */
  session?: string;
}

/**
 * One mission, from the side of who asked for it. `finding()` is the synthesis as it is stored, `result()` its result:
 * `{answer, plan, counts, delegation, cost, saving}`, or the text of a paper.
 */
export interface MissionHandle extends TaskHandle {
  /** Where it stands; null: its record is gone. */
  status(): Promise<MissionStatus | null>;
}

/** Goals for the coordinator, and waiting for what becomes of them. While the fleet is halted missions are taken and wait. */
export interface FleetMissions {
  /** @throws UsageError for a mission that breaks a rule, RedisUnusableError within a second when Redis is away or full */
  add(mission: MissionInput, options?: AddMissionOptions): Promise<MissionHandle>;
  /** A mission that was added earlier, by this script or another; null where there is none of this id. */
  get(id: string): Promise<MissionHandle | null>;
  /** The newest missions, newest first. @param options.limit default 20 @param options.session only those of this session */
  list(options?: { limit?: number; session?: string }): Promise<MissionStatus[]>;
}

/** The `missions` of a connected fleet. @param parts of the missions' queue */
export function createFleetMissions(
  parts: HandleParts & MissionProducerParts & { currentSession: () => Promise<string> },
): FleetMissions {
  const { redis, keys, queue, redisUrl } = parts;

  function toHandle(id: string, added: boolean, state: MissionHandle['state']): MissionHandle {
    const task = { id, added, state, wantedFindingId: toMissionFindingId(id) };
    return {
      ...createTaskHandle(parts, task, (value) => value),
      status: () => withPlainErrors(redisUrl, () => readMissionStatus(redis, keys, id)),
    };
  }

  return {
    async add(mission, { missionId, session } = {}) {
      const { id, added, state } = await withPlainErrors(redisUrl, async () =>
        addMission(parts, mission, { missionId, session: session ?? (await parts.currentSession()) }),
      );
      return toHandle(id, added, state);
    },
    async get(id) {
      const [state, known] = await withPlainErrors(redisUrl, () =>
        Promise.all([queue.getJobState(id), redis.exists(keys.mission(id))]),
      );
      return state === 'unknown' && known === 0 ? null : toHandle(id, false, state);
    },
    list: ({ limit = 20, session } = {}) => withPlainErrors(redisUrl, () => listMissions(redis, keys, limit, session)),
  };
}

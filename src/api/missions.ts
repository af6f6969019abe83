import { assertOptions, assertText } from './given/options.ts';
import type { Queue } from 'bullmq';
import type { QueueName } from '../../queues/registry.ts';
import type { Config } from '../config/environment.ts';
import { answerMission } from '../coordinator/control/answer.ts';
import { parkMission } from '../coordinator/control/park.ts';
import { resumeMission } from '../coordinator/control/resume.ts';
import { readReviewedPlan } from '../coordinator/review/read-plan.ts';
import { runReviewedPlan } from '../coordinator/review/run-plan.ts';
import { createFindingStore } from '../findings/store.ts';
import { createHaltSwitch } from '../halt/halt.ts';
import type { Db } from '../redis/db.ts';
import { currentUser } from '../swarm/current-user.ts';
import { createNotifier } from '../swarm/notify.ts';
import { createTaskHandle, type HandleParts, type AddCheck } from './task-handle.ts';
import { withRedisErrors } from '../redis/errors/redis-errors.ts';
import { toMissionFindingId } from '../coordinator/mission/id.ts';
import { findCoordinatorModel } from '../coordinator/calls/coordinator-model.ts';
import { addMission, type MissionProducerParts } from '../coordinator/mission/enqueue.ts';
import { missionExists } from '../coordinator/mission/record.ts';
import { listMissions, readMissionStatus } from '../coordinator/mission/status.ts';
import type { FleetMissions, MissionHandle } from '../coordinator/mission/handle-types.ts';
import { readJob } from '../jobs/state/states.ts';
import type { Configured } from '../tasks/known-names.ts';

export interface ReviewApiParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  config: Config;
  /** Workspaces of this process' own configuration. */
  configured: Configured;
  /** For messages. */
  redisUrl: string;
  /** The client who decides, for logs and records; default: the user of this process. */
  client?: string | undefined;
}

/** Creates the `missions` of a connected fleet. @param parts those of the missions' queue */
export function createFleetMissions(
  parts: HandleParts &
    AddCheck &
    MissionProducerParts &
    ReviewApiParts & { currentSession: () => Promise<string>; client?: string | undefined },
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
    ...createMissionReviews(parts),
    async add(mission, options = {}) {
      assertOptions('missions.add', options, ['missionId', 'session']);
      const { missionId, session } = options;
      const { id, added, state } = await withRedisErrors(redisUrl, async () => {
        await parts.assertMayAdd();
        findCoordinatorModel(parts.config, db.clock.date());
        return addMission(parts, mission, {
          missionId,
          session: session ?? (await parts.currentSession()),
          client: parts.client,
        });
      });
      return toHandle(id, added, state);
    },
    async get(id) {
      assertText('missions.get: id', id);
      const [{ state }, known] = await withRedisErrors(redisUrl, () =>
        Promise.all([readJob(db, queueName, id), missionExists(db, id)]),
      );
      return state === 'unknown' && !known ? null : toHandle(id, false, state);
    },
    async list(options = {}) {
      assertOptions('missions.list', options, ['limit', 'session']);
      const { limit = 20, session } = options;
      return withRedisErrors(redisUrl, () => listMissions(db, limit, session));
    },
  };
}

type MissionReviews = Pick<FleetMissions, 'plan' | 'run' | 'approve' | 'answer' | 'park' | 'resume'>;

/** Creates what a person decides about missions: their plans, answers, parking and resuming. */
export function createMissionReviews(parts: ReviewApiParts): MissionReviews {
  const { db, queues, config, redisUrl, client } = parts;
  const by = client ?? currentUser();
  const planParts = { ...parts, findings: createFindingStore(db) };
  const run: FleetMissions['run'] = async (id, options = {}) => {
    assertText('missions.run: id', id);
    assertOptions('missions.run', options, ['drop', 'edit', 'version', 'dryRun']);
    return withRedisErrors(redisUrl, () => runReviewedPlan(planParts, id, options, by));
  };

  /** What is announced is sent before the call ends: the process may end after it. */
  async function decide<T>(work: (stop: Parameters<typeof parkMission>[0]) => Promise<T>): Promise<T> {
    const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
    const halt = createHaltSwitch(db, Object.values(queues), { notifier });
    const done = await withRedisErrors(redisUrl, () => work({ db, queues, halt, notifier }));
    await notifier.flush();
    return done;
  }

  return {
    async plan(id) {
      assertText('missions.plan: id', id);
      return withRedisErrors(redisUrl, () => readReviewedPlan(planParts, id));
    },
    run,
    approve: (id) => run(id),
    async answer(id, text) {
      assertText('missions.answer: id', id);
      assertText('missions.answer: text', text);
      return decide((stop) => answerMission({ ...stop, configured: parts.configured }, id, text, by));
    },
    async park(id) {
      assertText('missions.park: id', id);
      return decide((stop) => parkMission(stop, id, by));
    },
    async resume(id, decision) {
      assertText('missions.resume: id', id);
      return decide((stop) => resumeMission(stop, id, decision ?? null, by));
    },
  };
}

import { missionsQueue } from '../../queues/missions.ts';
import { endCooldownsOfOldKey } from '../jobs/outcomes/changed-key.ts';
import type { Config } from '../config/environment.ts';
import { openWorker, type OpenWorker, type WorkerRole } from '../jobs/worker/open-worker.ts';
import type { WorkerBase } from '../jobs/worker/worker-base.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import { createShardPacer } from '../librarian/task-calls/shard-pacer.ts';
import type { Logger } from '../process/logger.ts';
import type { Model } from '../models/model.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { pacedRowsOf } from '../pacing/paced-rows.ts';
import { createPacer } from '../pacing/pacer.ts';
import { watchRules } from '../rules/watch-rules.ts';
import { findCoordinatorModel } from './calls/coordinator-model.ts';
import { createMissionHandler, readMissionProgress } from './handler.ts';
import { readMissionFields, writeMission } from './mission/record.ts';
import { watchMissions, type WatchParts } from './upkeep/watch.ts';

/** Missions that run at once. A mission that waits for its tasks holds no slot. */
const SLOTS = 8;

interface CoordinatorParts {
  config: Config;
  model: Model;
  log: Logger;
  onStuck?: () => void;
}

/** Runs a coordinator, which carries out missions until it is closed. Several coordinators may run at once. */
export async function runCoordinator(parts: CoordinatorParts): Promise<OpenWorker> {
  const { config, log, onStuck } = parts;
  const { worker } = await openWorker({
    config,
    log,
    kind: 'coordinator',
    queue: missionsQueue,
    slots: SLOTS,
    onStuck,
    createRole: (base) => createRole(parts, base),
  });
  return worker;
}

type Role = WorkerRole<typeof missionsQueue.data, typeof missionsQueue.result>;

function createRole({ config, model, log }: CoordinatorParts, base: WorkerBase): Role {
  const { db, queues, halt, notifier, subscriber, workerId, currentSession } = base;
  const now = (): Date => db.clock.date();
  findCoordinatorModel(config, now()); // refuses one that could plan no mission
  const shared = { db, queues, halt, config, notifier, workerId, log, now };
  const missions = watchMissions(shared);
  const paced = createPacer({
    db,
    limitKeyOf: (id) => model.limitKeyOf?.(id),
    rowOf: pacedRowsOf(catalogOf(config)),
    who: workerId,
    log,
  });
  const pacer = createShardPacer({ config, db, workerId, others: paced, log, notifier });
  return {
    handler: createMissionHandler({
      ...shared,
      model,
      pacer,
      ledger: createTurnLedger({ db, workerId, queue: 'missions', apart: 'coordinator' }),
      currentSession,
      onWaiting: missions.noteWaiting,
    }),
    readProgress: readMissionProgress,
    async start({ worker }) {
      await endCooldownsOfOldKey(db, { model, models: [config.FLEET_COORDINATOR_MODEL], log });
      worker.on('failed', (job, error) => {
        recordFailure(shared, job?.id ?? '', error).catch((reason: unknown) =>
          log.warn({ reason }, 'the end was not noted'),
        );
      });
      subscriber.on('message', (channel, jobId: string) => {
        if (channel === db.keys.channelCompletions) missions.noteEnd(jobId);
      });
      await subscriber.subscribe(db.keys.channelCompletions);
      return [missions.stop, watchRules({ ...base, config, log })];
    },
    close: async () => pacer.close(),
  };
}

/** Marks a mission as failed whose handler did not: its job was quarantined, or the handler threw an unexpected error. */
async function recordFailure({ db, now }: Pick<WatchParts, 'db' | 'now'>, id: string, error: Error) {
  const [state = null] = await readMissionFields(db, id, 'state');
  if (state === null || state === 'failed' || state === 'done') return;
  const endedAt = now().toISOString();
  await writeMission(db, id, { state: 'failed', problem: error.message, endedAt }, now());
}

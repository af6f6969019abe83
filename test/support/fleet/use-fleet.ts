import type { Queue } from 'bullmq';
import { openFleet, type OpenFleet } from '../../../src/api/open-fleet.ts';
import type { Config } from '../../../src/config/environment.ts';
import { createHaltSwitch, type HaltSwitch } from '../../../src/halt/halt.ts';
import { makeFolder } from '../folder.ts';
import type { ScriptedArchive } from '../models/scripted-archive.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { InProcessWorkers, type WorkerModel } from './in-process-workers.ts';
import { createTaskJobs, type TaskJobs } from './task-jobs.ts';
import { testConfig } from './test-config.ts';

/** What a test needs of a fleet. A process that is not named does not run. */
export interface FleetSetup {
  /** Variables beside those of the test's swarm. */
  env?: Record<string, string>;
  /** Name of the client that pays for what the test adds. */
  client?: string;
  /** Parts of the configuration that no variable gives, as none of the shards. */
  config?: Partial<Config>;
  /** Files of the workspace `site`, by path; absent: there is no workspace. */
  site?: Record<string, string>;
  /** Starts a worker with this model. */
  haiku?: WorkerModel;
  /** Starts a coordinator with this model. */
  coordinator?: WorkerModel;
  /** Starts a librarian that answers so. */
  librarian?: ScriptedArchive | 'http';
}

/** A fleet in the test's own process. */
export interface TestFleet
  extends
    OpenFleet,
    TaskJobs,
    Pick<InProcessWorkers, 'startHaiku' | 'startCoordinator' | 'startLibrarian' | 'startBridge'> {
  /** The tasks queue. */
  readonly queue: Queue;
  /** The fleet's own `halt`, with the members of the switch. */
  readonly halt: HaltSwitch & OpenFleet['halt'];
  /** Folder of the workspace `site`. */
  readonly site: string;
}

/**
 * Opens a client of the test's swarm, and the processes that the test needs, in the test's own process. After the test it
 * closes all that it opened and that the test started through it: the processes before their models and the client.
 */
export async function useFleet(redis: TestRedis, setup: FleetSetup = {}): Promise<TestFleet> {
  const site = setup.site === undefined ? '' : makeFolder(setup.site);
  const workspaces: Record<string, string> = site === '' ? {} : { FLEET_WORKSPACES: `site=${site}` };
  const config = { ...testConfig(redis, { ...workspaces, ...setup.env }), ...setup.config };
  const client = await openFleet(config, { client: setup.client });
  const workers = new InProcessWorkers(config);
  redis.cleanup(async () => {
    await workers.close();
    await client.close();
  });
  if (setup.coordinator !== undefined) await workers.startCoordinator(setup.coordinator);
  if (setup.haiku !== undefined) await workers.startHaiku(setup.haiku);
  if (setup.librarian !== undefined) await workers.startLibrarian(setup.librarian);

  const { db, queues } = client.inner;
  let halt: TestFleet['halt'] | undefined;
  return {
    ...client,
    ...createTaskJobs(db, () => queues.tasks),
    site,
    get queue() {
      return queues.tasks;
    },
    get halt() {
      return (halt ??= Object.assign(
        (reason: string) => client.halt(reason),
        createHaltSwitch(db, Object.values(queues)),
      ));
    },
    startHaiku: (...args) => workers.startHaiku(...args),
    startCoordinator: (...args) => workers.startCoordinator(...args),
    startBridge: (...args) => workers.startBridge(...args),
    startLibrarian: (archive) => workers.startLibrarian(archive),
  };
}

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { openFleet, OpenFleet } from '../../../src/api/open-fleet.ts';
import type { loadConfig } from '../../../src/config/environment.ts';
import type { saveContext } from '../../../src/contexts/memory-contexts.ts';
import type { Simulator } from '../../../simulator/simulator.ts';
import { plainEnvironment, startFleet } from '../process/fleet-command.ts';
import { spawnWorker, type WorkerProcess } from '../process/worker-process.ts';
import { swarmEnvironment } from '../redis/swarm-environment.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { waitUntil } from '../wait.ts';

/** Variables of all processes of the swarm that is upgraded. */
export function upgradeEnvironment(
  redis: TestRedis,
  simulator: Simulator,
  more: Record<string, string> = {},
): Record<string, string> {
  return swarmEnvironment(redis, {
    FLEET_SWARM: 'upgrade',
    ANTHROPIC_BASE_URL: simulator.url,
    GEMINI_BASE_URL: simulator.url,
    FLEET_LOG_LEVEL: 'warn',
    ...more,
  });
}

/** Another built version of the fleet, in a folder of its own. */
export interface OldVersion {
  connect(): Promise<OpenFleet>;
  start(
    kind: 'haiku' | 'coordinator' | 'librarian',
    more?: Record<string, string>,
  ): Promise<Pick<WorkerProcess, 'end' | 'output'>>;
  saveContext: typeof saveContext;
  /** Its command. @throws Error if it fails */
  fleet(...args: string[]): Promise<void>;
}

/** @param folder a checkout with `node_modules` and `dist` */
export async function openOldVersion(redis: TestRedis, simulator: Simulator, folder: string): Promise<OldVersion> {
  const load = async <T>(path: string): Promise<T> =>
    (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'dist', path)).href)) as T;
  const { openFleet: open } = await load<{ openFleet: typeof openFleet }>('src/api/open-fleet.js');
  const { loadConfig: readConfig } = await load<{ loadConfig: typeof loadConfig }>('src/config/environment.js');
  const contexts = await load<{ saveContext: typeof saveContext }>('src/haiku/memory-contexts.js');
  return {
    saveContext: contexts.saveContext,
    async connect() {
      const fleet = await open(readConfig(upgradeEnvironment(redis, simulator)));
      redis.cleanup(() => fleet.close());
      return fleet;
    },
    async fleet(...args) {
      const env = plainEnvironment(upgradeEnvironment(redis, simulator));
      const { code, stderr } = await startFleet(args, env, folder, '', join(folder, 'dist/src/cli/main.js')).done;
      if (code !== 0) throw new Error(`the old fleet ${args.join(' ')}: ${stderr}`);
    },
    async start(kind, more = {}) {
      const worker = spawnWorker(redis, kind, plainEnvironment(upgradeEnvironment(redis, simulator, more)), folder);
      if (!(await worker.isReady)) throw new Error(`the old ${kind} ended:\n${worker.output()}`);
      return worker;
    },
  };
}

/** Lets the old version do and begin work of every kind, and kills it in the middle. @param silent a provider that never answers */
export async function leaveOldWork(old: OldVersion, silent: Simulator): Promise<void> {
  const fleet = await old.connect();
  const { db, queues } = fleet.inner;
  const { keys } = db;
  const fast = await old.start('haiku', { FLEET_HAIKU_CONCURRENCY: '12' });
  const workers = await Promise.all([old.start('coordinator'), old.start('librarian')]);
  const until = (what: string, isReached: () => Promise<boolean>) => waitUntil(isReached, { what, timeoutMs: 60_000 });

  await old.saveContext(db, 'history', 'What was decided before.');
  await db.redis.hset(keys.finding('old-hash'), {
    task_id: 't1',
    worker_id: 'old',
    timestamp: '2025-11-21T10:15:00',
    content: 'An old finding about tea.',
  });
  await db.redis.publish(keys.channelFindings, 'old-hash');
  const done = Array.from({ length: 6 }, (_, i) => ({
    description: `Say that tea ${i} is done. [[turns:1]]`,
    contexts: ['history'],
    ...(i === 0 ? { finding_id: 'chosen' } : {}),
  }));
  await fleet.tasks.addMany(done, { batch: 'done', budgetUsd: 5 });
  for (const id of ['bad-1', 'bad-2'])
    await fleet.tasks.add({ description: '[[refuse]] it', budget_usd: 1 }, { taskId: id });
  await fleet.tasks.add({ description: 'Say hello. [[turns:1]]', budget_usd: 0.000_01 }, { taskId: 'parked' });
  await fleet.ask('What is known about tea?', { queryId: 'q1' });
  const { id: small } = await fleet.missions.add({ goal: 'Check it. [[tasks:2]]' }, { missionId: 'mission-done' });
  await until(
    'the work that ends',
    async () =>
      (await queues.tasks.getFailedCount()) === 2 &&
      (await db.redis.hexists(keys.parked, 'parked')) === 1 &&
      (await queues.archive.getCompletedCount()) > 0 &&
      (await queues.missions.getJobState(small)) === 'completed' &&
      (await db.redis.zscore(keys.index, 'old-hash')) !== null,
  );

  await fleet.tasks.add({ description: 'Say it. [[turns:3]] [[latency:1500]]' }, { taskId: 'half-done' });
  await until('a task with a stored turn', async () => {
    const fields = await db.redis.hkeys(keys.turns('half-done'));
    return fields.some((field) => field.startsWith('t:'));
  });
  await fast.end('SIGKILL');
  // From here on no task's call ends: they are in flight when their worker is killed.
  workers.push(await old.start('haiku', { FLEET_HAIKU_CONCURRENCY: '12', ANTHROPIC_BASE_URL: silent.url }));
  for (const id of ['mission-waits', 'mission-parked']) {
    await fleet.missions.add({ goal: 'Check it. [[tasks:3]]', budget_usd: 5 }, { missionId: id });
    await until(id, async () => (await queues.missions.getJobState(id)) === 'waiting-children');
  }
  await fleet.missions.add({ goal: 'A paper about tea.', paper: {} }, { missionId: 'paper' });
  await fleet.tasks.add({ description: 'Say it. [[turns:1]]' }, { taskId: 'in-flight' });
  await until('calls in flight', async () => silent.anthropic.requests().length >= 7);
  await old.fleet('park', 'mission-parked');
  await Promise.all(workers.map((worker) => worker.end('SIGKILL')));

  await queues.tasks.add('task', { description: 'Say it later. [[turns:1]]' }, { jobId: 'later', delay: 3_000 });
  const waiting = Array.from({ length: 3 }, (_, i) => ({ description: `Say that ${i} waits. [[turns:1]]` }));
  await fleet.tasks.addMany(waiting, { batch: 'waiting' });
  await fleet.ask('What is known about old tea?', { queryId: 'q2' });
}

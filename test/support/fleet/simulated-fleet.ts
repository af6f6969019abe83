import type { Job, Queue } from 'bullmq';
import type { TaskInput } from '../../../queues/tasks.ts';
import { createHaltSwitch, type HaltSwitch } from '../../../src/halt/halt.ts';
import type { OpenWorker } from '../../../src/jobs/worker/open-worker.ts';
import { createModel } from '../../../src/models/create/model.ts';
import type { OpenFleet } from '../../../src/api/open-fleet.ts';
import {
  startAnthropicSimulator,
  type AnthropicSimulator,
  type SimulatorOptions,
} from '../../../simulator/anthropic/server.ts';
import { openTestFleet, startHaiku, testConfig } from './in-process-fleet.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { waitUntil } from '../wait.ts';

/** A whole lane in this process: simulated provider over HTTP, workers, a fleet to enqueue with. */
export interface HttpLane {
  simulator: AnthropicSimulator;
  fleet: OpenFleet;
  queue: Queue;
  halt: HaltSwitch;
  /** Closes with the test. */
  startWorker(): Promise<OpenWorker>;
  /** Adds a task, of one call if its description does not say `[[turns:N]]`, and gives its id. */
  add(description: string, more?: Omit<TaskInput, 'description'>): Promise<string>;
  job(id: string): Promise<Job>;
  until(id: string, state: string, timeoutMs?: number): Promise<Job>;
  logs(id: string): Promise<string>;
  counters(): Promise<Record<string, string>>;
}

export interface HttpLaneOptions {
  /** Default 1. */
  workers?: number;
  /** Slots of each worker; default 4. */
  slots?: number;
  simulator?: SimulatorOptions;
  env?: Record<string, string>;
}

export async function openHttpLane(redis: TestRedis, options: HttpLaneOptions = {}): Promise<HttpLane> {
  const simulator = await startAnthropicSimulator({ latencyMs: 5, ...options.simulator });
  redis.cleanup(() => simulator.close());
  const config = testConfig(redis, {
    ANTHROPIC_BASE_URL: simulator.url,
    FLEET_HAIKU_CONCURRENCY: String(options.slots ?? 4),
    ...options.env,
  });
  const fleet = await openTestFleet(redis, config);
  const { db, queues } = fleet.inner;
  const { keys } = db;
  const queue = queues.tasks;
  const startWorker = async (): Promise<OpenWorker> => {
    const { model, close } = await createModel(config);
    redis.cleanup(close);
    return startHaiku(redis, config, model);
  };
  for (let worker = 0; worker < (options.workers ?? 1); worker += 1) await startWorker();

  const job = async (id: string): Promise<Job> => {
    const found = await queue.getJob(id);
    if (found === undefined) throw new Error(`there is no job ${id}`);
    return found;
  };
  return {
    simulator,
    fleet,
    queue,
    halt: createHaltSwitch(db, Object.values(queues)),
    startWorker,
    async add(text, more = {}) {
      const description = text.includes('[[turns') ? text : `${text} [[turns:1]]`;
      return (await fleet.tasks.add({ description, ...more })).id;
    },
    job,
    async until(id, state, timeoutMs = 15_000) {
      const seen = async (): Promise<string> => `${await queue.getJobState(id)}: ${(await job(id)).failedReason}`;
      await waitUntil(async () => (await queue.getJobState(id)) === state, {
        timeoutMs,
        what: `${id} is ${state}`,
        orElse: () => false,
      });
      const now = await seen();
      if (!now.startsWith(`${state}:`)) throw new Error(`${id}: expected ${state}, is ${now}`);
      return job(id);
    },
    logs: async (id) => (await queue.getJobLogs(id)).logs.join('\n'),
    counters: () => redis.redis.hgetall(keys.counters),
  };
}

import { QueueEvents, type Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import { tasksQueue, type TaskInput } from '../queues/tasks.ts';
import { addBatch, type BatchOptions, type BatchReport } from './batches/add-batch.ts';
import { loadConfig, type Config } from './config.ts';
import { createFindingStore, type FindingStore } from './findings/store.ts';
import { connectQueues } from './jobs/connect-queue.ts';
import { readKnownNames } from './jobs/check-task.ts';
import { isTypedTask, toTaskInput, type TypedTask } from './jobs/define-task.ts';
import { createProducer, type Producer } from './jobs/producer.ts';
import { createTaskHandle, type TaskHandle } from './jobs/task-handle.ts';
import type { QueueName } from '../queues/registry.ts';
import { connectRedis, toRedisError } from './redis/connect.ts';
import { createKeys, type Keys } from './redis/keys.ts';
import { defineScripts, type Scripts } from './redis/scripts.ts';
import { createSessionReader } from './session.ts';
import { readStatus } from './status/snapshot.ts';
import type { StatusSnapshot } from './status/snapshot-shape.ts';

export interface FleetOptions {
  /** Default `REDIS_URL`, else `redis://127.0.0.1:6379`. */
  redisUrl?: string;
  /** Name of the swarm; default `FLEET_SWARM`, else the default swarm. */
  swarm?: string;
}

export interface AddOptions {
  /** The job's id; a task of this id that exists is reported, never added twice. Default: a fresh random one. */
  taskId?: string;
}

/** What scripts use. Everything else is reached through it; close it, or the process does not end. */
export interface Fleet {
  tasks: {
    /** @throws UsageError for a task that breaks a rule, RedisUnusableError within a second when Redis is away */
    add(task: TaskInput, options?: AddOptions): Promise<TaskHandle>;
    add<Input extends z.ZodType, Output extends z.ZodType>(
      task: TypedTask<Input, Output>,
      input: z.input<Input>,
      options?: AddOptions,
    ): Promise<TaskHandle<z.output<Output>>>;
    /** Adds any number of tasks in chunks, holding one chunk at a time. Bad ones are reported, good ones are added. */
    addMany(tasks: Iterable<TaskInput> | AsyncIterable<TaskInput>, options?: BatchOptions): Promise<BatchReport>;
  };
  findings: FindingStore;
  status(): Promise<StatusSnapshot>;
  close(): Promise<void>;
  /** Connections and keys for code that goes further, such as the command line. */
  inner: {
    config: Config;
    redis: Redis;
    keys: Keys;
    scripts: Scripts;
    queues: Record<QueueName, Queue>;
    producer: Producer;
    currentSession: () => Promise<string>;
  };
}

/** Connects to a running fleet. @throws RedisUnusableError, ConfigError */
export async function connectFleet(options: FleetOptions = {}): Promise<Fleet> {
  const config = loadConfig({
    ...process.env,
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    ...(options.swarm === undefined ? {} : { FLEET_SWARM: options.swarm }),
  });
  return openFleet(config);
}

/** Like `connectFleet`, with a configuration that is there already. */
export async function openFleet(config: Config): Promise<Fleet> {
  const keys = createKeys(config.FLEET_SWARM ?? null);
  const redis = await connectRedis(config.REDIS_URL, { role: 'producer', name: 'fleet-producer' });
  const scripts = defineScripts(redis);
  const queues = connectQueues(redis, keys);
  const findings = createFindingStore(redis, keys);
  const producer = createProducer(redis, keys, queues.tasks);
  const currentSession = createSessionReader(scripts, keys);
  const configured = Object.keys(config.FLEET_WORKSPACES);
  let events: Promise<QueueEvents> | null = null;
  let eventsConnection: Redis | null = null;

  /** A Redis that is gone or full says so in one sentence. */
  async function withPlainErrors<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toRedisError(error, config.REDIS_URL);
    }
  }

  /** Opened by the first who waits: enqueuing alone needs one connection. */
  function listen(): Promise<QueueEvents> {
    events ??= (async () => {
      eventsConnection = await connectRedis(config.REDIS_URL, { role: 'worker', name: 'fleet-events' });
      const listener = new QueueEvents(tasksQueue.name, { connection: eventsConnection, prefix: keys.bullPrefix });
      listener.on('error', () => undefined); // its connection reports and comes back by itself
      await listener.waitUntilReady();
      return listener;
    })();
    return events;
  }

  async function add(first: TaskInput | TypedTask, second?: unknown, third?: AddOptions): Promise<TaskHandle> {
    const typed = isTypedTask(first) ? first : null;
    const input = isTypedTask(first) ? toTaskInput(first, second) : first;
    const { taskId } = (typed === null ? (second as AddOptions | undefined) : third) ?? {};
    const enqueued = await withPlainErrors(async () => {
      const known = await readKnownNames(redis, keys, configured);
      const session = await currentSession();
      return producer.add({ input, ...(taskId === undefined ? {} : { taskId }) }, known, { session });
    });
    return createTaskHandle({
      ...enqueued,
      wantedFindingId: input.finding_id,
      queue: queues.tasks,
      events: listen,
      findings,
      parse: (value) => (typed === null ? value : typed.output.parse(value)),
    });
  }

  return {
    tasks: {
      add,
      addMany: async (tasks, options = {}) =>
        withPlainErrors(() => addBatch({ redis, keys, producer, currentSession, configured }, tasks, options)),
    },
    findings,
    status: () => readStatus(redis, keys, Object.values(queues), { scripts }),
    async close() {
      if (events !== null) {
        await (await events).close();
        eventsConnection?.disconnect();
      }
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
      await redis.quit().catch(() => redis.disconnect());
    },
    inner: { config, redis, keys, scripts, queues, producer, currentSession },
  };
}

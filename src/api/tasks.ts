import { setMaxListeners } from 'node:events';
import type { TaskInput } from '../../queues/tasks.ts';
import type { BatchParts } from '../tasks/batch/add.ts';
import type { BatchOptions } from '../tasks/batch/types.ts';
import type { AddOptions, FleetTasks } from './types.ts';
import type { Producer } from '../tasks/enqueue.ts';
import { UsageError, WaitTimeoutError } from '../errors.ts';
import { toFindingId } from '../findings/finding.ts';
import { withRedisErrors } from '../redis/connect.ts';
import { readKnownNames } from '../tasks/known-names.ts';
import { isTypedTask, toEntries, toResultParser, toTaskInput, type TypedTask } from './define-task.ts';
import { createTaskHandle, toTimeoutMs, type HandleParts } from './task-handle.ts';
import type { TaskEnd, TaskHandle, WaitOptions } from '../tasks/types.ts';
import { readJob } from '../jobs/state/states.ts';

type Inputs = Iterable<unknown> | AsyncIterable<unknown>;

/** Creates the `tasks` of a connected fleet. The first added task loads the code that compiles JSON Schemas. */
export function createFleetTasks(parts: HandleParts & Omit<BatchParts, 'producer'>): FleetTasks {
  const { db, queues, queueName, ends: jobEnds, configured, currentSession, redisUrl } = parts;
  const { redis, keys } = db;

  async function openProducer(): Promise<Producer> {
    const { createProducer } = await import('../tasks/enqueue.ts');
    return createProducer(db, queues[queueName]);
  }

  async function add(first: TaskInput | TypedTask, second?: unknown, third?: AddOptions): Promise<TaskHandle> {
    const typed = isTypedTask(first) ? first : null;
    const input = isTypedTask(first) ? toTaskInput(first, second) : first;
    const { taskId } = (typed === null ? (second as AddOptions | undefined) : third) ?? {};
    const enqueued = await withRedisErrors(redisUrl, async () => {
      const known = await readKnownNames(db, configured);
      const session = await currentSession();
      const producer = await openProducer();
      return producer.add({ input, ...(taskId === undefined ? {} : { taskId }) }, known, { session });
    });
    return createTaskHandle(parts, { ...enqueued, wantedFindingId: input.finding_id }, toResultParser(typed));
  }

  async function addMany(first: Inputs | TypedTask, second?: unknown, third?: BatchOptions) {
    const given = isTypedTask(first) ? (second as Inputs) : first;
    assertIterable(given);
    const entries = isTypedTask(first) ? toEntries(first, given) : given;
    const options = (isTypedTask(first) ? third : (second as BatchOptions | undefined)) ?? {};
    const { addBatch } = await import('../tasks/batch/add.ts');
    const producer = await openProducer();
    return withRedisErrors(redisUrl, () => addBatch({ ...parts, producer }, entries, options));
  }

  async function get(id: string, typed?: TypedTask): Promise<TaskHandle | null> {
    return withRedisErrors(redisUrl, async () => {
      const data = await redis.hget(keys.queueKey(queueName, id), 'data');
      if (data === null && (await redis.exists(keys.finding(toFindingId(id)))) === 0) return null;
      const state = data === null ? 'unknown' : (await readJob(db, queueName, id)).state;
      const task = { id, added: false, state, wantedFindingId: data === null ? undefined : toWantedId(data) };
      return createTaskHandle(parts, task, toResultParser(typed ?? null));
    });
  }

  async function* ends(ids: Iterable<string>, options: WaitOptions = {}): AsyncGenerator<TaskEnd> {
    const timeoutMs = toTimeoutMs(options);
    const loopEnd = new AbortController(); // ends the waits that are left when the caller leaves the loop
    setMaxListeners(0, loopEnd.signal); // one a task
    const all = [...new Set(ids)];
    const done: (TaskEnd | Error | null)[] = [];
    let wake = (): void => undefined;
    const collect = (end: TaskEnd | Error | null): void => {
      done.push(end);
      wake();
    };
    for (const id of all) jobEnds.wait(id, { timeoutMs, signal: loopEnd.signal }).then(collect, collect);
    try {
      for (let yielded = 0; yielded < all.length; yielded += 1) {
        while (done.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        const end = done.shift() ?? null;
        if (end instanceof Error) throw end;
        if (end === null) {
          const open = all.length - yielded;
          throw new WaitTimeoutError(
            null,
            `${open} of ${all.length} tasks: not done after ${timeoutMs} ms; they go on`,
          );
        }
        yield end;
      }
    } finally {
      loopEnd.abort();
    }
  }

  return { add, addMany, get, ends };
}

/** Another program may have added the job: its data may be any JSON. */
function toWantedId(data: string): string | undefined {
  const value: unknown = JSON.parse(data);
  return typeof value === 'object' && value !== null && 'finding_id' in value && typeof value.finding_id === 'string'
    ? value.finding_id
    : undefined;
}

/** A string is iterable, too, but surely a mistake. */
function assertIterable(given: unknown): void {
  const iterable =
    typeof given === 'object' && given !== null && (Symbol.iterator in given || Symbol.asyncIterator in given);
  if (!iterable) throw new UsageError(`tasks: expected an array or another iterable, got ${typeof given}`);
}

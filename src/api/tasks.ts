import { setMaxListeners } from 'node:events';
import { toOwner } from '../../queues/owner.ts';
import type { TaskInput } from '../../queues/tasks.ts';
import type { BatchParts } from '../tasks/batch/add.ts';
import type { BatchOptions } from '../tasks/batch/types.ts';
import type { AddOptions, FleetTasks } from './types.ts';
import type { Producer } from '../tasks/enqueue.ts';
import { UsageError, WaitTimeoutError } from '../errors.ts';
import { toFindingId } from '../findings/finding.ts';
import { withRedisErrors } from '../redis/errors/redis-errors.ts';
import { readKnownNames } from '../tasks/known-names.ts';
import { describeMissing, findMissingFiles } from '../tasks/missing-files.ts';
import { isTypedTask, toEntries, toResultParser, toTaskInput, type TypedTask } from './given/define-task.ts';
import { assertIds, assertOptions, assertText, namesOf } from './given/options.ts';
import { createTaskHandle, toTimeoutMs, type HandleParts, type AddCheck } from './task-handle.ts';
import type { TaskEnd, TaskHandle, WaitOptions } from '../tasks/types.ts';
import { readJob } from '../jobs/state/states.ts';

const BATCH_OPTIONS = namesOf<BatchOptions>({
  batch: true,
  budgetUsd: true,
  shard: true,
  limit: true,
  dryRun: true,
  signal: true,
  onProgress: true,
  onInvalid: true,
  onTask: true,
});

type Inputs = Iterable<unknown> | AsyncIterable<unknown>;

/** Creates the `tasks` of a connected fleet. The first added task loads the code that compiles JSON Schemas. */
export function createFleetTasks(
  parts: HandleParts & AddCheck & Omit<BatchParts, 'producer'> & { workspaces: Readonly<Record<string, string>> },
): FleetTasks {
  const { db, queues, queueName, ends: jobEnds, configured, currentSession, redisUrl } = parts;
  const { redis, keys } = db;

  async function openProducer(): Promise<Producer> {
    const { createProducer } = await import('../tasks/enqueue.ts');
    return createProducer(db, queues[queueName]);
  }

  async function add(first: TaskInput | TypedTask, second?: unknown, third?: AddOptions): Promise<TaskHandle> {
    const typed = isTypedTask(first) ? first : null;
    const input = isTypedTask(first) ? toTaskInput(first, second) : first;
    const options = typed === null ? (second as AddOptions | undefined) : third;
    assertOptions('tasks.add', options, ['taskId', 'allowMissing']);
    const { taskId, allowMissing = false } = options ?? {};
    const enqueued = await withRedisErrors(redisUrl, async () => {
      await parts.assertMayAdd();
      if (!allowMissing) await refuseMissing(input, taskId);
      const known = await readKnownNames(db, configured);
      const session = await currentSession();
      const producer = await openProducer();
      return producer.add({ input, ...(taskId === undefined ? {} : { taskId }) }, known, {
        session,
        ...toOwner({ client: parts.client }),
      });
    });
    return createTaskHandle(parts, { ...enqueued, wantedFindingId: input.finding_id }, toResultParser(typed));
  }

  /** A task that is there already is reported, whatever became of its files. @throws UsageError */
  async function refuseMissing(input: TaskInput, taskId: string | undefined): Promise<void> {
    const missing = findMissingFiles(input, parts.workspaces);
    if (missing.length === 0) return;
    const isThere =
      taskId !== undefined &&
      (await redis.exists(keys.queueKey(queueName, taskId), keys.finding(toFindingId(taskId, input.finding_id)))) > 0;
    if (isThere) return;
    throw new UsageError(
      `files: ${describeMissing(input, missing)}; correct the path, or give allowMissing: true where the task is to make it`,
    );
  }

  async function addMany(first: Inputs | TypedTask, second?: unknown, third?: BatchOptions) {
    const given = isTypedTask(first) ? (second as Inputs) : first;
    assertIterable(given);
    const entries = isTypedTask(first) ? toEntries(first, given) : given;
    const options = (isTypedTask(first) ? third : (second as BatchOptions | undefined)) ?? {};
    assertOptions('tasks.addMany', options, BATCH_OPTIONS);
    const { addBatch } = await import('../tasks/batch/add.ts');
    const producer = await openProducer();
    return withRedisErrors(redisUrl, async () => {
      await parts.assertMayAdd();
      return addBatch({ ...parts, producer }, entries, options);
    });
  }

  async function get(id: string, typed?: TypedTask): Promise<TaskHandle | null> {
    assertText('tasks.get: id', id);
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
    const { signal: given } = options;
    const signal = given === undefined ? loopEnd.signal : AbortSignal.any([loopEnd.signal, given]);
    setMaxListeners(0, signal); // one a task
    const all = toIds(ids);
    const done: (TaskEnd | Error | null)[] = [];
    let wake = (): void => undefined;
    const collect = (end: TaskEnd | Error | null): void => {
      done.push(end);
      wake();
    };
    for (const id of all) jobEnds.wait(id, { timeoutMs, signal }).then(collect, collect);
    try {
      for (let yielded = 0; yielded < all.length; yielded += 1) {
        while (done.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        const end = done.shift() ?? null;
        if (end === null) given?.throwIfAborted();
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

/** @returns the ids, each once. @throws UsageError for what is no list of ids */
function toIds(ids: Iterable<string>): string[] {
  assertIterable(ids);
  const all = [...new Set(ids)];
  assertIds('tasks.ends', all);
  return all;
}

/** A string is iterable, too, but surely a mistake. */
function assertIterable(given: unknown): void {
  const iterable =
    typeof given === 'object' && given !== null && (Symbol.iterator in given || Symbol.asyncIterator in given);
  if (!iterable) throw new UsageError(`tasks: expected an array or another iterable, got ${typeof given}`);
}

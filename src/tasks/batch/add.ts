import type { TaskInput } from '../../../queues/tasks.ts';
import { UsageError } from '../../errors.ts';
import { readKnownNames } from '../known-names.ts';
import type { Producer } from '../enqueue.ts';
import { toNanoUsd } from '../../pricing/money.ts';
import type { BatchOptions, BatchReport, BatchTask } from './types.ts';
import { assertSameFile } from './assert-same-file.ts';
import type { Db } from '../../redis/db.ts';
import { checkBatchName } from './task-id.ts';
import { toTaskId } from '../../../queues/ids.ts';

export interface BatchParts {
  db: Db;
  producer: Producer;
  currentSession: () => Promise<string>;
  /** Workspaces of this process' own configuration. */
  configured: string[];
}

const PROBLEMS_KEPT = 100;

/** An entry that could not be read, such as a line that is no JSON. It counts as a line. */
export class UnreadableEntry {
  constructor(readonly message: string) {}
}

/** An entry without a task, such as an empty line. It counts as a line. */
export class BlankEntry {
  readonly blank = true;
}

interface Entry {
  line: number;
  input: unknown;
  taskId?: string;
}

/**
 * Adds tasks to the queue from a stream, one chunk at a time.
 * @throws UsageError for options that break a rule, or if the batch holds other tasks under these lines
 */
export async function addBatch(
  parts: BatchParts,
  entries: Iterable<unknown> | AsyncIterable<unknown>,
  options: BatchOptions,
): Promise<BatchReport> {
  const { db, producer } = parts;
  const { limit = Infinity, dryRun = false } = options;
  const batch = options.batch === undefined ? null : checkBatchName(options.batch);
  const report: BatchReport = { batch, read: 0, added: 0, existing: 0, invalid: 0, ids: [], problems: [] };
  if (batch === null && options.budgetUsd !== undefined)
    throw new UsageError('budget: a batch with a budget needs a name');
  const stamps = { session: await parts.currentSession(), ...(batch === null ? {} : { batch }) };
  if (batch !== null && !dryRun) await beginLoad(db, batch, stamps.session, options.budgetUsd);

  function reject(line: number, message: string): void {
    report.invalid += 1;
    if (report.problems.length < PROBLEMS_KEPT) report.problems.push({ line, message });
    options.onInvalid?.(line, message);
  }

  function accept(line: number, task: BatchTask): void {
    if (task.added) report.added += 1;
    else report.existing += 1;
    if (options.onTask === undefined) report.ids.push(task.id);
    else options.onTask(line, task);
  }

  async function flush(chunk: Entry[]): Promise<void> {
    if (chunk.length === 0) return;
    const readable = chunk.filter(({ input }) => !(input instanceof UnreadableEntry));
    if (batch !== null) await assertSameFile(db, batch, readable);
    const known = await readKnownNames(db, parts.configured);
    const results = await producer.addChunk(readable, known, stamps, { dryRun, atMost: limit - report.added });
    const addedBefore = report.added;
    let next = 0;
    for (const { line, input } of chunk) {
      if (report.added >= limit) {
        report.read = line - 1; // the next load begins here
        break;
      }
      if (input instanceof UnreadableEntry) {
        reject(line, input.message);
        continue;
      }
      const result = results[next++];
      if (result instanceof UsageError) reject(line, result.message);
      else if (result !== undefined && result !== null) accept(line, { ...result, input: input as TaskInput });
    }
    if (batch !== null && !dryRun) await noteChunk(db, batch, report.read, report.added - addedBefore);
    const { read, added, existing, invalid } = report;
    options.onProgress?.({ read, added, existing, invalid });
  }

  let chunk: Entry[] = [];
  let valid = 0;
  for await (const input of entries) {
    if (report.added >= limit) break;
    report.read += 1;
    if (input instanceof BlankEntry) continue;
    chunk.push({ input, line: report.read, ...(batch === null ? {} : { taskId: toTaskId(batch, report.read) }) });
    if (!(input instanceof UnreadableEntry)) valid += 1;
    if (valid >= producer.chunkSize || chunk.length >= 2 * producer.chunkSize) {
      await flush(chunk);
      chunk = [];
      valid = 0;
    }
  }
  await flush(chunk);
  if (batch !== null && !dryRun) await endLoad(db, batch, report);
  return report;
}

/** Begins a load. `loaded` 0: more tasks come, so the batch has not ended. */
async function beginLoad(
  { redis, keys }: Db,
  batch: string,
  session: string,
  budgetUsd: number | undefined,
): Promise<void> {
  const chain = redis
    .multi()
    .zadd(keys.batches, 'NX', Date.now(), batch)
    .hsetnx(keys.batch(batch), 'session', session)
    .hsetnx(keys.batch(batch), 'createdAt', new Date().toISOString())
    .hset(keys.batch(batch), 'loaded', 0);
  if (budgetUsd !== undefined) chain.hset(keys.spend(`batch:${batch}`), 'limit', toNanoUsd(budgetUsd));
  await chain.exec();
}

async function noteChunk({ redis, keys }: Db, batch: string, lines: number, added: number): Promise<void> {
  const before = Number((await redis.hget(keys.batch(batch), 'lines')) ?? 0);
  await redis
    .multi()
    .hset(keys.batch(batch), 'lines', Math.max(before, lines)) // a shorter file removes no line
    .hincrby(keys.batch(batch), 'tasks', added)
    .exec();
}

async function endLoad({ redis, keys }: Db, batch: string, report: BatchReport): Promise<void> {
  const tasks = Number((await redis.hget(keys.batch(batch), 'tasks')) ?? 0);
  const seen = report.added + report.existing;
  const chain = redis.multi().hset(keys.batch(batch), 'loaded', 1);
  if (seen > tasks) chain.hset(keys.batch(batch), 'tasks', seen); // an earlier load was killed between adding and counting
  if (report.added > 0) chain.hincrby(keys.batch(batch), 'round', 1);
  await chain.exec();
}

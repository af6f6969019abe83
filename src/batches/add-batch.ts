import type { Redis } from 'ioredis';
import type { TaskInput } from '../../queues/tasks.ts';
import { UsageError } from '../errors.ts';
import { readKnownNames } from '../jobs/check-task.ts';
import type { Producer, TaskToAdd } from '../jobs/producer.ts';
import { toNanoUsd } from '../ledger/money.ts';
import type { Keys } from '../redis/keys.ts';

export interface BatchOptions {
  /** Name of the batch; its tasks are `<batch>-<line>`, so that adding the same lines again adds only missing ones. Default: none, random ids. */
  batch?: string;
  /** Own budget of the batch; reaching it parks its jobs. Needs a name. */
  budgetUsd?: number;
  /** At most this many tasks are added in this call; lines that are there already do not count. */
  limit?: number;
  /** Checks everything and adds nothing. */
  dryRun?: boolean;
  /** Called after each chunk. */
  onProgress?: (progress: BatchProgress) => void;
  /** Called for each entry that breaks a rule; the others are added all the same. */
  onInvalid?: (line: number, message: string) => void;
  /** Called for each valid entry, in order, with its job id (undefined in a dry run without a name). */
  onTask?: (line: number, task: TaskInput) => void;
}

export interface BatchProgress {
  read: number;
  added: number;
  existing: number;
  invalid: number;
}

export interface BatchReport extends BatchProgress {
  batch: string | null;
  /** Job ids of what was added or was there already, in order. */
  ids: string[];
  /** The first hundred entries that broke a rule, by their 1-based place. */
  problems: { line: number; message: string }[];
}

const PROBLEMS_KEPT = 100;

/** An entry that could not even be read, such as a line that is no JSON; it keeps its place in the count. */
export class UnreadableEntry {
  constructor(readonly message: string) {}
}

/** Streams tasks into the queue, one chunk at a time. */
export async function addBatch(
  parts: {
    redis: Redis;
    keys: Keys;
    producer: Producer;
    currentSession: () => Promise<string>;
    configured: string[];
  },
  tasks: Iterable<TaskInput | UnreadableEntry> | AsyncIterable<TaskInput | UnreadableEntry>,
  options: BatchOptions,
): Promise<BatchReport> {
  const { redis, keys, producer } = parts;
  const batch = options.batch ?? null;
  const report: BatchReport = { batch, read: 0, added: 0, existing: 0, invalid: 0, ids: [], problems: [] };
  if (batch === null && options.budgetUsd !== undefined)
    throw new UsageError('budget: a batch with a budget needs a name');
  const stamps = { session: await parts.currentSession(), ...(batch === null ? {} : { batch: checkBatchName(batch) }) };
  if (batch !== null && options.dryRun !== true) await openBatch(redis, keys, batch, stamps.session, options.budgetUsd);
  const limit = options.limit ?? Infinity;

  function reject(line: number, message: string): void {
    report.invalid += 1;
    if (report.problems.length < PROBLEMS_KEPT) report.problems.push({ line, message });
    options.onInvalid?.(line, message);
  }

  async function flush(chunk: (TaskToAdd & { line: number })[]): Promise<void> {
    if (chunk.length === 0) return;
    const known = await readKnownNames(redis, keys, parts.configured);
    const results = await producer.addChunk(chunk, known, stamps, { dryRun: options.dryRun ?? false });
    for (const [at, result] of results.entries()) {
      const { line, input } = chunk[at] ?? { line: 0, input: null };
      if (result instanceof UsageError) {
        reject(line, result.message);
        continue;
      }
      report.ids.push(result.id);
      if (result.added) report.added += 1;
      else report.existing += 1;
      options.onTask?.(line, input as TaskInput);
    }
    if (batch !== null && options.dryRun !== true) await redis.hset(keys.batch(batch), 'lines', report.read);
    options.onProgress?.({
      read: report.read,
      added: report.added,
      existing: report.existing,
      invalid: report.invalid,
    });
  }

  let chunk: (TaskToAdd & { line: number })[] = [];
  for await (const input of tasks) {
    report.read += 1;
    const line = report.read;
    if (input instanceof UnreadableEntry) {
      reject(line, input.message);
      continue;
    }
    chunk.push({ input, line, ...(batch === null ? {} : { taskId: `${batch}-${line}` }) });
    const room = limit - report.added;
    if (chunk.length >= Math.min(producer.chunkSize, room)) {
      await flush(chunk);
      chunk = [];
      if (report.added >= limit) break;
    }
  }
  await flush(chunk);
  return report;
}

/** @throws UsageError */
export function checkBatchName(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
    throw new UsageError(`batch: expected letters, digits, dot, underscore or dash, got ${JSON.stringify(name)}`);
  }
  return name;
}

async function openBatch(
  redis: Redis,
  keys: Keys,
  batch: string,
  session: string,
  budgetUsd: number | undefined,
): Promise<void> {
  const chain = redis
    .multi()
    .zadd(keys.batches, 'NX', Date.now(), batch)
    .hsetnx(keys.batch(batch), 'session', session)
    .hsetnx(keys.batch(batch), 'createdAt', new Date().toISOString());
  if (budgetUsd !== undefined) chain.hset(keys.spend(`batch:${batch}`), 'limit', toNanoUsd(budgetUsd));
  await chain.exec();
}

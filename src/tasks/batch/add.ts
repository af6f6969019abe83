import type { Queue } from 'bullmq';
import type { QueueName } from '../../../queues/registry.ts';
import type { TaskInput } from '../../../queues/tasks.ts';
import { shardNameSchema, toOwner } from '../../../queues/owner.ts';
import { UsageError } from '../../errors.ts';
import { readKnownNames, type Configured } from '../known-names.ts';
import type { Producer } from '../enqueue.ts';
import { releaseParked } from '../../jobs/outcomes/parked.ts';
import { noteChange } from '../../audit/note-change.ts';
import { formatLimit, readLimit, toLimit } from '../../ledger/budget.ts';
import type { BatchOptions, BatchReport, BatchTask } from './types.ts';
import { assertSameFile } from './assert-same-file.ts';
import type { Db } from '../../redis/db.ts';
import { noteLoad } from './lifecycle.ts';
import { checkBatchName } from './task-id.ts';
import { toTaskId } from '../../../queues/ids.ts';

export interface BatchParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  producer: Producer;
  currentSession: () => Promise<string>;
  /** Workspaces of this process' own configuration. */
  configured: Configured;
  /** Name of the client that pays. Default: no client. */
  client?: string | undefined;
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
  if (options.budgetUsd !== undefined) toLimit(options.budgetUsd); // also of a dry run
  const owner = toOwner({ client: parts.client, shard: checkShard(options.shard) });
  const stamps = { session: await parts.currentSession(), ...owner, ...(batch === null ? {} : { batch }) };
  options.signal?.throwIfAborted();
  if (batch !== null && parts.client !== undefined) await assertOwnBatch(db, batch, parts.client, dryRun);
  if (batch !== null && !dryRun) await beginLoad(parts, batch, stamps.session, options.budgetUsd);

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
    if (batch !== null && !dryRun) await noteLoad(db, batch, { lines: report.read, added: report.added - addedBefore });
    const { read, added, existing, invalid } = report;
    options.onProgress?.({ read, added, existing, invalid });
  }

  let chunk: Entry[] = [];
  let valid = 0;
  for await (const input of entries) {
    if (report.added >= limit) break;
    options.signal?.throwIfAborted();
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
  options.signal?.throwIfAborted();
  await flush(chunk);
  if (batch !== null && !dryRun) {
    const { added, existing } = report;
    await noteLoad(db, batch, { ends: true, seen: added + existing, begins_round: added > 0 });
  }
  return report;
}

/** @throws UsageError */
function checkShard(shard: string | undefined): string | undefined {
  if (shard === undefined || shardNameSchema.safeParse(shard).success) return shard;
  throw new UsageError(
    `shard: expected 1 to 100 characters without white space, colon or brace, got ${JSON.stringify(shard)}`,
  );
}

/**
 * Makes a new batch the client's. It may raise no budget of another one's, nor add to its tasks.
 * @throws UsageError for a batch of another client, or of a person
 */
async function assertOwnBatch(
  { redis, keys, clock }: Db,
  batch: string,
  client: string,
  dryRun: boolean,
): Promise<void> {
  const key = keys.batch(batch);
  if (!dryRun && (await redis.exists(key)) === 0) {
    await redis.multi().zadd(keys.batches, 'NX', clock.now(), batch).hsetnx(key, 'client', client).exec();
  }
  const [owner = null, session = null] = await redis.hmget(key, 'client', 'session');
  if (owner === client || (owner === null && session === null)) return;
  const whose = owner === null ? 'was not added by a client' : `is client ${owner}'s`;
  throw new UsageError(
    `batch ${batch}: ${whose}, and client ${client} adds to its own batches only; choose another name`,
  );
}

/** Begins a load. `loaded` 0: more tasks come, so the batch has not ended. A budget releases what the one before had parked. */
async function beginLoad(
  { db, queues }: Pick<BatchParts, 'db' | 'queues'>,
  batch: string,
  session: string,
  budgetUsd: number | string | undefined,
): Promise<void> {
  const { redis, keys, clock } = db;
  const before = budgetUsd === undefined ? null : await readLimit(db, { batch });
  const chain = redis
    .multi()
    .zadd(keys.batches, 'NX', clock.now(), batch)
    .hsetnx(keys.batch(batch), 'session', session)
    .hsetnx(keys.batch(batch), 'createdAt', clock.date().toISOString())
    .hset(keys.batch(batch), 'loaded', 0);
  if (budgetUsd !== undefined) chain.hset(keys.spend(`batch:${batch}`), 'limit', toLimit(budgetUsd));
  await chain.exec();
  if (budgetUsd === undefined) return;
  const released = await releaseParked({ db, queues }, { scope: 'batch', name: batch });
  const limit = toLimit(budgetUsd);
  if (before === null || before === limit) return; // the budget of a new batch comes with its tasks
  await noteChange(db, {
    what: 'budget',
    about: { batch },
    before: { limit: formatLimit(before) },
    after: { limit: formatLimit(limit), ...(released === 0 ? {} : { released }) },
  });
}

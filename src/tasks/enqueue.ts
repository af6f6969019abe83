import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { tasksQueue, type TaskInput } from '../../queues/tasks.ts';
import type { Origin } from '../../queues/origin.ts';
import { toOwner, type Owner } from '../../queues/owner.ts';
import { UsageError } from '../errors.ts';
import { toFindingId } from '../findings/finding.ts';
import { parseFinding, readFindingTexts } from '../findings/stored.ts';
import { offerTasks, toOfferDelay } from '../jobs/offer.ts';
import { findForeign, toForeignError } from '../jobs/foreign-shard.ts';
import { readJobs } from '../jobs/state/states.ts';
import { findJobIdProblem } from '../../queues/ids.ts';
import { checkTask } from './check.ts';
import { toAllowedVendors, toVendorStamp } from '../routing/allowed-vendors.ts';
import type { KnownNames } from './known-names.ts';
import type { Db } from '../redis/db.ts';
import type { Enqueued, TaskState } from './types.ts';

/** Jobs in one `addBulk`, a MULTI that takes Redis a few milliseconds. */
const CHUNK = 500;

/** What all tasks of one call get. `shard`: those that name none. */
interface Stamps extends Owner {
  session: string;
  batch?: string;
}

/** A task as the caller gave it, with the id that it must have, if any. */
interface TaskToAdd {
  input: unknown;
  taskId?: string;
  line?: number;
  /** What started it. Default: no rule did. */
  origin?: Origin;
  /** The vendors that the finding which it stems from allows. Default: all. */
  vendors?: readonly string[] | undefined;
}

export interface Producer {
  /** @throws UsageError for a task that breaks a rule */
  add(task: TaskToAdd, known: KnownNames, stamps: Stamps): Promise<Enqueued>;
  /**
   * Adds all valid tasks in one step.
   * @param options.atMost adds only so many new tasks, the first ones; default: all
   * @returns one entry a task, in order: a UsageError if it breaks a rule, null if `atMost` left it out
   */
  addChunk(
    tasks: TaskToAdd[],
    known: KnownNames,
    stamps: Stamps,
    options?: { dryRun?: boolean; atMost?: number },
  ): Promise<(Enqueued | UsageError | null)[]>;
  chunkSize: number;
}

/** Adds tasks to the queue, with the caller's id or a random one. Without an id, the same task added twice is two tasks. */
export function createProducer(db: Db, queue: Queue): Producer {
  const { redis, keys } = db;
  async function addChunk(
    tasks: TaskToAdd[],
    known: KnownNames,
    { shard, ...stamps }: Stamps,
    { dryRun = false, atMost = Infinity }: { dryRun?: boolean; atMost?: number } = {},
  ): Promise<(Enqueued | UsageError | null)[]> {
    const checked = await Promise.all(tasks.map((task) => check(task, known)));
    const valid = checked.filter((entry): entry is CheckedTask => !(entry instanceof UsageError));
    const twice = findRepeats(valid);
    const existing = await findExisting(valid.filter((entry) => entry.given));
    const foreign = await findForeign(
      db,
      tasksQueue.name,
      valid
        .filter(({ id }) => existing.has(id))
        .map(({ id, task }) => ({
          jobId: id,
          findingId: toFindingId(id, task.finding_id),
          shard: task.shard ?? shard,
        })),
    );
    const taken = dryRun ? new Set<string>() : await claimFindings(valid.filter((entry) => !existing.has(entry.id)));
    const fresh = valid.filter((entry) => !existing.has(entry.id) && !taken.has(entry.id) && !twice.has(entry));
    const chosen = new Set(fresh.slice(0, atMost));
    const toAdd = dryRun ? [] : [...chosen];
    await offerTasks(
      db,
      toAdd.map(({ id, task }) => ({ id, data: task })),
    );
    await queue.addBulk(
      toAdd.map((entry) => ({
        name: tasksQueue.jobName,
        data: {
          ...entry.task,
          ...toOwner({ shard: entry.task.shard ?? shard }),
          ...toVendorStamp(
            toAllowedVendors({ workspace: entry.task.workspace, vendors: entry.vendors }, known.vendors ?? {}),
          ),
          ...stamps,
          ...(entry.line === undefined ? {} : { line: entry.line }),
          ...(entry.origin === undefined ? {} : { origin: entry.origin }),
        },
        opts: { jobId: entry.id, ...toOfferDelay(entry.task) },
      })),
    );
    return checked.map((entry) => {
      if (entry instanceof UsageError) return entry;
      if (foreign.has(entry.id)) return toForeignError(entry.id);
      const state = twice.has(entry) ? 'waiting' : existing.get(entry.id);
      if (state !== undefined) return { id: entry.id, added: false, state };
      if (taken.has(entry.id)) {
        return new UsageError(
          `finding_id: ${JSON.stringify(entry.task.finding_id)} is taken; choose another or leave it out`,
        );
      }
      return chosen.has(entry) ? { id: entry.id, added: true, state: 'waiting' } : null;
    });
  }

  /** States of those that exist: as a job, or, once the job was removed, as a finding. */
  async function findExisting(entries: CheckedTask[]): Promise<Map<string, TaskState>> {
    const found = new Map<string, TaskState>();
    if (entries.length === 0) return found;
    const chain = redis.pipeline();
    for (const { id, task } of entries) {
      chain.exists(keys.queueKey(queue.name, id)).exists(keys.finding(toFindingId(id, task.finding_id)));
      chain.hget(keys.reservedFindings, task.finding_id ?? '');
    }
    const replies = (await chain.exec()) ?? [];
    const there: string[] = [];
    for (const [i, { id, task }] of entries.entries()) {
      const [jobError, job] = replies[3 * i] ?? [];
      if (jobError) throw jobError;
      const written = replies[3 * i + 1]?.[1] === 1;
      const owner = replies[3 * i + 2]?.[1];
      if (job === 1) there.push(id);
      else if (written && (task.finding_id === undefined || owner === id)) found.set(id, 'completed');
      // A chosen id may be another task's. Who owns it is forgotten with the job; the finding itself names its task.
      else if (written && owner === null && (await isOfTask(task.finding_id, id))) found.set(id, 'completed');
    }
    const jobs = await readJobs(db, queue.name, there);
    for (const [i, id] of there.entries()) found.set(id, jobs[i]?.state ?? 'unknown');
    return found;
  }

  async function isOfTask(findingId: string | undefined, taskId: string): Promise<boolean> {
    const [text = null] = await readFindingTexts(db, [findingId ?? '']);
    return text !== null && parseFinding(findingId ?? '', text)?.job_id === taskId;
  }

  /** @returns ids of the tasks whose finding id belongs to another task */
  async function claimFindings(entries: { id: string; task: TaskInput }[]): Promise<Set<string>> {
    const taken = new Set<string>();
    for (const { id, task } of entries) {
      if (task.finding_id === undefined) continue;
      const first = await redis.hsetnx(keys.reservedFindings, task.finding_id, id);
      const owner = first === 1 ? id : ((await redis.hget(keys.reservedFindings, task.finding_id)) ?? id);
      const written = await redis.exists(keys.finding(task.finding_id));
      const claimed = owner !== id && (await redis.exists(keys.queueKey(queue.name, owner))) === 1;
      if (written === 1 || claimed) taken.add(id);
      else await redis.hset(keys.reservedFindings, task.finding_id, id); // the task that claimed it before was never enqueued, or is gone
    }
    return taken;
  }

  return {
    chunkSize: CHUNK,
    addChunk,
    async add(task, known, stamps) {
      const [result] = await addChunk([task], known, stamps);
      if (result === undefined || result === null || result instanceof UsageError)
        throw result ?? new UsageError('task: nothing to add');
      return result;
    },
  };
}

interface CheckedTask {
  id: string;
  /** Whether the caller chose the id, so that the task may exist. */
  given: boolean;
  task: TaskInput;
  line: number | undefined;
  origin: Origin | undefined;
  vendors: readonly string[] | undefined;
}

/** Tasks whose id another task has earlier in the same chunk. */
function findRepeats(tasks: CheckedTask[]): Set<CheckedTask> {
  const seen = new Set<string>();
  return new Set(
    tasks.filter(({ id }) => {
      const repeated = seen.has(id);
      seen.add(id);
      return repeated;
    }),
  );
}

async function check(
  { input, taskId, line, origin, vendors }: TaskToAdd,
  known: KnownNames,
): Promise<CheckedTask | UsageError> {
  try {
    const task = await checkTask(input, known, vendors);
    return { id: toJobId(taskId), given: taskId !== undefined, task, line, origin, vendors };
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

function toJobId(taskId: string | undefined): string {
  if (taskId === undefined) return `task-${toRandomHex()}`;
  const problem = findJobIdProblem(taskId);
  if (problem !== null) throw new UsageError(`task id: ${problem}`);
  return taskId;
}

/** 64 random bits, from the pool of `randomUUID`: a large file of tasks needs many. Its middle has fixed bits. */
function toRandomHex(): string {
  const uuid = randomUUID();
  return uuid.slice(0, 8) + uuid.slice(-8);
}

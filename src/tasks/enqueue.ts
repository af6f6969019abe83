import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { tasksQueue, type TaskInput } from '../../queues/tasks.ts';
import { UsageError } from '../errors.ts';
import { toFindingId } from '../findings/finding.ts';
import { readJobs } from '../jobs/state/states.ts';
import { findJobIdProblem } from '../../queues/ids.ts';
import { checkTask } from './check.ts';
import type { KnownNames } from './known-names.ts';
import type { Db } from '../redis/db.ts';
import type { Enqueued, TaskState } from './types.ts';

/** Jobs in one `addBulk`, a MULTI that takes Redis a few milliseconds. */
const CHUNK = 500;

interface Stamps {
  session: string;
  batch?: string;
}

/** A task as the caller gave it, with the id that it must have, if any. */
interface TaskToAdd {
  input: unknown;
  taskId?: string;
  line?: number;
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
    stamps: Stamps,
    { dryRun = false, atMost = Infinity }: { dryRun?: boolean; atMost?: number } = {},
  ): Promise<(Enqueued | UsageError | null)[]> {
    const checked = await Promise.all(tasks.map((task) => check(task, known)));
    const valid = checked.filter((entry): entry is CheckedTask => !(entry instanceof UsageError));
    const twice = findRepeats(valid);
    const existing = await findExisting(valid.filter((entry) => entry.given));
    const taken = dryRun ? new Set<string>() : await claimFindings(valid.filter((entry) => !existing.has(entry.id)));
    const fresh = valid.filter((entry) => !existing.has(entry.id) && !taken.has(entry.id) && !twice.has(entry));
    const chosen = new Set(fresh.slice(0, atMost));
    const toAdd = dryRun ? [] : [...chosen];
    await queue.addBulk(
      toAdd.map((entry) => ({
        name: tasksQueue.jobName,
        data: { ...entry.task, ...stamps, ...(entry.line === undefined ? {} : { line: entry.line }) },
        opts: { jobId: entry.id },
      })),
    );
    return checked.map((entry) => {
      if (entry instanceof UsageError) return entry;
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
      const own = task.finding_id === undefined || replies[3 * i + 2]?.[1] === id; // a chosen id may be another task's
      if (job === 1) there.push(id);
      else if (written && own) found.set(id, 'completed');
    }
    const jobs = await readJobs(db, queue.name, there);
    for (const [i, id] of there.entries()) found.set(id, jobs[i]?.state ?? 'unknown');
    return found;
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

async function check({ input, taskId, line }: TaskToAdd, known: KnownNames): Promise<CheckedTask | UsageError> {
  try {
    return { id: toJobId(taskId), given: taskId !== undefined, task: await checkTask(input, known), line };
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

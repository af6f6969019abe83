import type { Queue } from 'bullmq';
import { tasksQueue } from '../../queues/tasks.ts';
import { toFindingId } from '../findings/finding.ts';
import type { Db } from '../redis/db.ts';
import { toVendorStamp } from '../routing/allowed-vendors.ts';
import { answerAgain } from './answer-again.ts';
import { isResultOf, noteEnd, parseEnd } from './ends.ts';
import type { OldTask } from './old-task.ts';

export interface EnqueueParts {
  db: Db;
  /** The tasks queue. */
  queue: Queue;
  currentSession(): Promise<string>;
  /** The vendors that may see what is in the workspace of such tasks. Null: all. */
  vendors: readonly string[] | null;
  /**
   * Takes a task of a memory shard from the other workers, before it is added. Absent: such tasks are left alone.
   * @returns false: another worker has taken it
   */
  claim?: (task: OldTask) => Promise<boolean>;
}

/**
 * How a task of another program was found. `announced`: its program asked for it now. `found`: it lay there. `taken`: a person
 * wants it done, although it is older than the bridge.
 */
export type FoundBy = 'announced' | 'found' | 'taken';

/**
 * What became of it. `known`: the same text was added before, or has a finding. `elsewhere`: another program has done it. `older`: it
 * is older than the bridge's first start, and a person takes it (`fleet bridge take`). `held`: a task of a memory shard that
 * another worker has taken from its list.
 */
export type Enqueuing = 'added' | 'known' | 'elsewhere' | 'older' | 'held';

/** A process that dies before it has added the task leaves a note of it (`claim-listed-task.lua`). */
async function claimFirst({ claim }: EnqueueParts, task: OldTask): Promise<Enqueuing> {
  if (claim === undefined) return 'older';
  return (await claim(task)) ? 'added' : 'held';
}

/** What is known of one task before it is added. */
interface Known {
  isKnown: boolean;
  isOlder: boolean;
  hasJob: boolean;
  hasFinding: boolean;
  result: string | null;
  end: string | null;
}

/** Commands a task in `readKnown`. */
const LOOKS = 6;

/** Adds one task of another program. @public */
export async function enqueueOldTask(parts: EnqueueParts, task: OldTask, by: FoundBy): Promise<Enqueuing> {
  const [outcome = 'known'] = await enqueueOldTasks(parts, [task], by);
  return outcome;
}

/**
 * Adds tasks of other programs, each text of an id once, however often it is posted. Safe to run twice, and in several processes
 * at once.
 * @returns what became of each, in order
 */
export async function enqueueOldTasks(
  parts: EnqueueParts,
  tasks: readonly OldTask[],
  by: FoundBy,
): Promise<Enqueuing[]> {
  const { db, queue } = parts;
  const { redis, keys, clock } = db;
  const known = await readKnown(db, tasks);
  const outcomes = tasks.map((task, i) => decide(task, known[i], by));
  for (const [i, task] of tasks.entries()) {
    if (outcomes[i] === 'added' && task.stamp.form === 'v2') outcomes[i] = await claimFirst(parts, task);
  }
  const fresh = tasks.filter((_, i) => outcomes[i] === 'added');
  if (fresh.length > 0) {
    const session = await parts.currentSession();
    await queue.addBulk(
      fresh.map(({ jobId, task, stamp }) => ({
        name: tasksQueue.jobName,
        data: {
          ...task,
          ...(stamp.shard === undefined ? {} : { shard: stamp.shard }),
          session,
          ...toVendorStamp(parts.vendors),
          bridge: stamp,
        },
        opts: { jobId },
      })),
    );
  }
  if (by === 'announced') {
    const isAnswered = ({ jobId }: OldTask, i: number): boolean =>
      isResultOf(jobId, known[i]?.result ?? null, parseEnd(known[i]?.end));
    await answerAgain(
      db,
      tasks.filter((task, i) => task.stamp.form !== 'v2' && outcomes[i] === 'known' && !isAnswered(task, i)),
    );
  }
  // After the job is there: a process that dies before finds the job again.
  const settled = tasks.filter(
    (_, i) => outcomes[i] !== 'older' && outcomes[i] !== 'held' && known[i]?.isKnown !== true,
  );
  if (settled.length === 0) return outcomes;
  for (const [i, { jobId, stamp }] of tasks.entries()) {
    const result = known[i]?.result ?? '';
    if (outcomes[i] === 'elsewhere') await noteEnd(db, stamp.task, { job: jobId, by: '', result });
  }
  const at = clock.now();
  const chain = redis.pipeline();
  chain.hset(
    keys.bridge('known'),
    ...settled.flatMap(({ jobId, stamp }) => [jobId, JSON.stringify({ id: stamp.task, at })]),
  );
  chain.hdel(keys.bridge('older'), ...settled.map(({ jobId }) => jobId));
  for (const [error] of (await chain.exec()) ?? []) if (error) throw error;
  return outcomes;
}

async function readKnown({ redis, keys }: Db, tasks: readonly OldTask[]): Promise<Known[]> {
  if (tasks.length === 0) return [];
  const chain = redis.pipeline();
  for (const { jobId, stamp } of tasks) {
    chain.hexists(keys.bridge('known'), jobId).hexists(keys.bridge('older'), jobId);
    chain.exists(keys.queueKey(tasksQueue.name, jobId)).exists(keys.finding(toFindingId(jobId)));
    chain.mget(keys.oldTask(stamp.task, 'result')).hget(keys.bridge('ends'), stamp.task);
  }
  const replies = ((await chain.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
  return tasks.map((_, i) => {
    const [isKnown, isOlder, job, finding, results, end] = replies.slice(LOOKS * i, LOOKS * (i + 1));
    return {
      isKnown: isKnown === 1,
      isOlder: isOlder === 1,
      hasJob: job === 1,
      hasFinding: finding === 1,
      result: (results as (string | null)[])[0] ?? null,
      end: end as string | null,
    };
  });
}

function decide({ jobId }: OldTask, known: Known | undefined, by: FoundBy): Enqueuing {
  if (known === undefined || known.isKnown || known.hasJob || known.hasFinding) return 'known';
  if (isResultOf(jobId, known.result, parseEnd(known.end))) return 'elsewhere';
  return known.isOlder && by === 'found' ? 'older' : 'added';
}

import { tasksQueue } from '../../queues/tasks.ts';
import { enqueueOldTasks } from '../bridge/enqueue.ts';
import type { OldTask, OldTaskPlace } from '../bridge/old-task.ts';
import { readOldTasks } from '../bridge/read-tasks.ts';
import { toFindingId } from '../findings/finding.ts';
import { readEnds, readWritten } from '../jobs/state/states.ts';
import type { Db } from '../redis/db.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { readWorkers } from '../swarm/heartbeat.ts';
import { claimListed } from './claim-listed.ts';
import { createListReader } from './shard-lists.ts';
import type { V2Parts } from './types.ts';

/** Takes the tasks of memory shards. */
export interface ShardTasks {
  /** Takes as many as the fleet has free slots: the others stay for old workers. */
  take(): Promise<void>;
  /** Adds those again that a process took before it died, and whose job is gone. */
  recover(): Promise<void>;
  /** The next look reads the lists from their beginning. */
  reset(): void;
}

export function createShardTasks(parts: V2Parts & OldTaskPlace): ShardTasks {
  const { db } = parts;
  let readLists = createListReader(db);
  /** Ids that nobody had taken when they were read. */
  const pending = new Set<string>();
  /** Whether a look failed after it may have taken tasks from their lists: they are in none by then. */
  let hasFailed = false;

  async function takeNow(ids: readonly string[]): Promise<void> {
    hasFailed = true;
    await takeListed(parts, await findPending(db, ids));
    hasFailed = false;
  }
  const shardTasks: ShardTasks = {
    async take() {
      if (hasFailed) await shardTasks.recover();
      hasFailed = false;
      await readLists(async (ids) => {
        for (const id of await findPending(db, ids)) pending.add(id);
      });
      if (pending.size === 0) return;
      const ids = [...pending].slice(0, await countFreeSlots(db));
      if (ids.length === 0) return;
      await takeNow(ids);
      for (const id of ids) pending.delete(id);
    },
    async recover() {
      const taken = Object.entries(await db.redis.hgetall(db.keys.bridge('listed')));
      const ends = await readEnds(
        db,
        tasksQueue.name,
        taken.map(([jobId]) => jobId),
      );
      const gone = taken.filter((_, i) => ends[i]?.state === 'unknown');
      const ids = gone.flatMap(([, text]) => {
        const { task } = { task: '', ...parseRecord(text) };
        return task === '' ? [] : [task];
      });
      const tasks = await readOldTasks(parts, ids, { ofShards: 'all' });
      const outcomes = await add(parts, tasks);
      const back = new Set(tasks.filter((_, i) => outcomes[i] === 'added').map(({ jobId }) => jobId));
      const stale = gone.map(([jobId]) => jobId).filter((jobId) => !back.has(jobId));
      const [answered, now] = await Promise.all([
        readWritten(
          db,
          stale.map((jobId) => toFindingId(jobId)),
        ),
        readEnds(db, tasksQueue.name, stale),
      ]);
      // A person removed the job, or a program its task.
      const dropped = stale.filter((_, i) => answered[i] === false && now[i]?.state === 'unknown');
      if (dropped.length > 0) await db.redis.hdel(db.keys.bridge('listed'), ...dropped);
    },
    reset() {
      readLists = createListReader(db);
    },
  };
  return shardTasks;
}

/** A task whose text was done before is answered with what was found then. */
async function takeListed(parts: V2Parts & OldTaskPlace, ids: readonly string[]): Promise<void> {
  const { db } = parts;
  const tasks = await readOldTasks(parts, ids, { ofShards: 'pending' });
  const outcomes = await add(parts, tasks);
  const known = tasks.filter((_, i) => outcomes[i] === 'known');
  const ends = await readEnds(
    db,
    tasksQueue.name,
    known.map(({ jobId }) => jobId),
  );
  for (const [i, task] of known.entries()) {
    if (ends[i]?.state === 'completed' || ends[i]?.state === 'unknown') await claimListed(db, task);
  }
}

function add(parts: V2Parts, tasks: readonly OldTask[]) {
  const { db, queues, currentSession, vendors } = parts;
  const claim = (task: OldTask): Promise<boolean> => claimListed(db, task);
  return enqueueOldTasks({ db, queue: queues.tasks, currentSession, vendors, claim }, tasks, 'found');
}

/** Slots without a job, over all workers. None while the fleet is halted. */
async function countFreeSlots(db: Db): Promise<number> {
  const { redis, keys } = db;
  const [halted, active, waiting, workers] = await Promise.all([
    redis.exists(keys.haltReason),
    redis.llen(keys.queueKey(tasksQueue.name, 'active')),
    redis.llen(keys.queueKey(tasksQueue.name, 'wait')),
    readWorkers(db),
  ]);
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  return halted === 1 ? 0 : Math.max(0, slots - active - waiting);
}

async function findPending({ redis, keys }: Db, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const chain = redis.pipeline();
  for (const id of ids) chain.hget(keys.oldTask(id), 'status');
  const replies = (await chain.exec()) ?? [];
  return ids.filter((_, i) => replies[i]?.[1] === 'pending'); // an error: a key of another type
}

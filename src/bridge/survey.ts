import type { Db } from '../redis/db.ts';
import type { OldEnd } from './ends.ts';
import type { OldTaskPlace } from './old-task.ts';
import { readOldTasks } from './read-tasks.ts';

/** Keys looked at in one SCAN step. */
const SCAN_COUNT = 1_000;
/** Parts of `task:<id>` that are no task. */
const PARTS = /:(?:claimed|result|error)$/;

/** Yields the ids of the tasks that lie under `task:*`, in pages. An id may come twice. */
export async function* scanOldTasks({ redis, keys }: Db): AsyncGenerator<string[]> {
  const prefix = keys.oldTask('');
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', SCAN_COUNT);
    cursor = next;
    const ids = found.map((key) => key.slice(prefix.length)).filter((id) => id !== '' && !PARTS.test(id));
    if (ids.length > 0) yield ids;
  } while (cursor !== '0');
}

/**
 * At the bridge's first start in a swarm: lists the tasks that lie there, which were posted for other workers, perhaps long ago, and
 * would cost money. A person takes them. Everything is written in one step, so that a start that dies is none.
 * @param announced ids that were announced meanwhile: they are posted now
 * @returns how many wait; 0 also at any later start
 */
export async function surveyOldTasks(
  parts: OldTaskPlace & { db: Db },
  announced: ReadonlySet<string>,
): Promise<number> {
  const { redis, keys, clock } = parts.db;
  if ((await redis.hexists(keys.bridge('start'), 'since')) === 1) return 0;
  const at = clock.now();
  const older: string[] = [];
  const ended: string[] = [];
  for await (const ids of scanOldTasks(parts.db)) {
    const tasks = await readOldTasks(
      parts,
      ids.filter((id) => !announced.has(id)),
      { ofShards: 'pending' },
    );
    const results =
      tasks.length === 0 ? [] : await redis.mget(tasks.map(({ stamp }) => keys.oldTask(stamp.task, 'result')));
    for (const [i, { jobId, stamp }] of tasks.entries()) {
      const result = results[i] ?? null;
      const end: OldEnd = { job: jobId, by: '', result: result ?? '' };
      if (result !== null) ended.push(stamp.task, JSON.stringify(end), jobId);
      else older.push(jobId, JSON.stringify({ id: stamp.task, at }));
    }
  }
  const chain = redis.multi().hset(keys.bridge('start'), 'since', at);
  for (let i = 0; i < older.length; i += 2_000) chain.hset(keys.bridge('older'), ...older.slice(i, i + 2_000));
  for (let i = 0; i < ended.length; i += 3) {
    const [id = '', end = '', jobId = ''] = ended.slice(i, i + 3);
    chain.hset(keys.bridge('ends'), id, end).hset(keys.bridge('known'), jobId, JSON.stringify({ id, at }));
  }
  for (const [error] of (await chain.exec()) ?? []) if (error) throw error;
  return older.length / 2;
}

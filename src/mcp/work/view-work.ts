import { assertBatch } from '../../tasks/batch/progress.ts';
import type { McpSession } from '../tool/types.ts';
import { readLargeBatch } from './large-batch.ts';
import { readWork, toLineIds, type Work } from './read-work.ts';
import { toQueueNames } from './queue-names.ts';
import type { WorkTarget, WorkView } from './types.ts';

/** A batch of more lines is counted, not read job by job. */
const MOST_READ = 2_000;

/** Reads how far the work is. @throws NotFoundError if there is no such batch */
export async function viewWork({ fleet }: Pick<McpSession, 'fleet'>, target: WorkTarget): Promise<WorkView> {
  const { db } = fleet.inner;
  if ('ids' in target) {
    const ids = [...new Set(target.ids)];
    const names = await toQueueNames(db, ids);
    const read = new Map<string, Work>();
    for (const name of new Set(names.values())) {
      const own = ids.filter((id) => names.get(id) === name);
      for (const work of await readWork(db, name, own)) read.set(work.id, work);
    }
    return toView(
      ids.flatMap((id) => read.get(id) ?? []),
      false,
    );
  }
  await assertBatch(db, target.batch);
  const [lines, loaded] = await db.redis.hmget(db.keys.batch(target.batch), 'lines', 'loaded');
  const [count, isLoading] = [Number(lines ?? 0), loaded === '0'];
  if (count > MOST_READ) return { ...(await readLargeBatch(db, target.batch)), items: null, isLoading };
  return toView(await readWork(db, 'tasks', toLineIds(target.batch, 1, count)), isLoading);
}

/** Lines of a batch that were read so far. */
export async function countLines({ inner: { db } }: McpSession['fleet'], batch: string): Promise<number> {
  return Number((await db.redis.hget(db.keys.batch(batch), 'lines')) ?? 0);
}

/** Whether nothing of it waits or runs. */
export function hasEnded({ total, done, failed, cancelled, missing, isLoading }: WorkView): boolean {
  return !isLoading && done + failed + cancelled + missing >= total;
}

function toView(items: Work[], isLoading: boolean): WorkView {
  const count = (state: Work['state']): number => items.filter((item) => item.state === state).length;
  return {
    total: items.length,
    done: count('done'),
    failed: count('failed'),
    cancelled: count('cancelled'),
    parked: count('parked'),
    running: count('running'),
    open: count('open'),
    missing: count('missing'),
    items,
    isLoading,
  };
}

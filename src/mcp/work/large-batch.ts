import { readBatch } from '../../tasks/batch/progress.ts';
import type { Db } from '../../redis/db.ts';
import type { WorkCounts } from './types.ts';

/** Counts a batch by its counters, which cost the same for any number of tasks. Who runs is not known. */
export async function readLargeBatch(db: Db, batch: string): Promise<WorkCounts> {
  const { tasks, completed, failed, cancelled, parked } = await readBatch(db, batch);
  const open = Math.max(0, tasks - completed - failed - cancelled - parked);
  return { total: tasks, done: completed, failed, cancelled, parked, running: 0, open, missing: 0 };
}

import { toTaskId } from '../../../queues/ids.ts';
import type { QueueName } from '../../../queues/registry.ts';
import { toFindingId } from '../../findings/finding.ts';
import { isCancelled } from '../../jobs/cancelled.ts';
import { readJobs, readWritten } from '../../jobs/state/states.ts';
import type { Db } from '../../redis/db.ts';

/** `missing`: there is neither a job nor a finding of it. */
type WorkState = 'done' | 'failed' | 'cancelled' | 'parked' | 'running' | 'open' | 'missing';

/** Where one piece of work is. */
export interface Work {
  id: string;
  findingId: string;
  state: WorkState;
  /** Of a failed one: the word by which failures are grouped; else empty. */
  reason: string;
}

/** Reads where jobs of one queue are, in order. */
export async function readWork(db: Db, queue: QueueName, ids: readonly string[]): Promise<Work[]> {
  if (ids.length === 0) return [];
  const { redis, keys } = db;
  const jobs = await readJobs(db, queue, ids); // the jobs first: a job that has completed has its finding
  const findingIds = ids.map((id, i) => {
    const job = jobs[i];
    return (job?.state === 'completed' ? job.findingId : null) ?? toFindingId(id);
  });
  const [written, marks] = await Promise.all([readWritten(db, findingIds), redis.hmget(keys.parked, ...ids)]);
  return ids.map((id, i) => {
    const job = jobs[i] ?? { state: 'unknown' as const };
    const base = { id, findingId: findingIds[i] ?? '', reason: '' };
    if (job.state === 'failed') {
      const state = isCancelled(job.reason) ? 'cancelled' : 'failed';
      return { ...base, state, reason: toReason(job.reason) };
    }
    if (written[i] === true) return { ...base, state: 'done' };
    if (typeof marks[i] === 'string') return { ...base, state: 'parked' };
    if (job.state === 'unknown' || job.state === 'completed') return { ...base, state: 'missing' };
    return { ...base, state: job.state === 'active' ? 'running' : 'open' };
  });
}

/** The ids of lines of a batch. @param from from 1 */
export function toLineIds(batch: string, from: number, count: number): string[] {
  return Array.from({ length: Math.max(0, count) }, (_, i) => toTaskId(batch, from + i));
}

/** `schema: the result …` → `schema`. */
function toReason(text: string): string {
  return /^([a-z][a-z0-9-]*):/.exec(text)?.[1] ?? 'other';
}

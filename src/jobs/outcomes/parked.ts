import type { Job, Queue } from 'bullmq';
import { z } from 'zod';
import type { QueueName } from '../../../queues/registry.ts';
import type { BudgetState } from '../../ledger/budget-types.ts';
import { describeBudget } from '../../ledger/budget.ts';
import type { Db } from '../../redis/db.ts';
import { noteActivity } from '../../swarm/activity.ts';
import { countOf } from '../../text/plural.ts';
import { queueOfJob } from '../queue-of-job.ts';
import { promote } from '../wake/promote.ts';

/** What a parked job waits for: a budget of its own, or a person who parked its mission (`parked-mission`). */
export interface ParkedScope {
  scope: 'client' | 'batch' | 'mission' | 'rule' | 'task' | 'parked-mission';
  /** Name of the client, batch, mission or rule, id of the task's job. */
  name: string;
}

/** What `keys.parked` holds of one job. */
export interface ParkedMark extends ParkedScope {
  queue: string;
  /** Set while the job is put back to waiting. */
  releasing?: true;
}

/**
 * Puts one parked job back to waiting. Until the job has moved, its mark records the release, so that the next call finds it
 * after a crash in between. If the job is parked again at once, its new mark stays.
 * @returns false if it was not delayed
 */
export async function releaseJob(
  { redis, keys, scripts }: Db,
  job: Job,
  { scope, name, queue }: ParkedMark,
): Promise<boolean> {
  const jobId = job.id ?? '';
  const releasing = JSON.stringify({ scope, name, queue, releasing: true } satisfies ParkedMark);
  await redis.hset(keys.parked, jobId, releasing);
  const promoted = await promote(job);
  await scripts['delete-if']({ hash: keys.parked }, [jobId, releasing]);
  return promoted;
}

/**
 * Puts the jobs of every queue that wait for this back to waiting; each asks its budget again before its next call.
 * @returns how many
 */
export async function releaseParked(
  parts: { db: Db; queues: Record<QueueName, Queue> },
  wanted: ParkedScope,
): Promise<number> {
  const { db, queues } = parts;
  const { redis, keys } = db;
  let released = 0;
  for await (const { jobId, mark } of eachParked(db, wanted)) {
    const queue = queues[mark.queue as QueueName] ?? queueOfJob(queues, jobId);
    const job = await queue.getJob(jobId);
    if (job === undefined) await redis.hdel(keys.parked, jobId);
    else if (await releaseJob(db, job, { ...wanted, queue: queue.name })) released += 1;
  }
  if (released > 0) await noteActivity(db, toReleased(wanted, released));
  return released;
}

/** How many jobs wait for this. */
export async function countParkedFor(db: Db, wanted: ParkedScope): Promise<number> {
  const ids = new Set<string>();
  for await (const { jobId } of eachParked(db, wanted)) ids.add(jobId);
  return ids.size;
}

async function* eachParked(
  { redis, keys }: Db,
  wanted: ParkedScope,
): AsyncGenerator<{ jobId: string; mark: ReadMark }> {
  let cursor = '0';
  do {
    const [next, found] = await redis.hscan(keys.parked, cursor, 'COUNT', 500);
    cursor = next;
    for (let i = 0; i < found.length; i += 2) {
      const mark = parseMark(found[i + 1] ?? '');
      if (mark.scope === wanted.scope && mark.name === wanted.name) yield { jobId: found[i] ?? '', mark };
    }
  } while (cursor !== '0');
}

function toReleased({ scope, name }: ParkedScope, count: number): Parameters<typeof noteActivity>[1] {
  return {
    what: 'released',
    id: name,
    text: `${countOf(count, 'job')} of this ${scope === 'parked-mission' ? 'mission' : scope}`,
    ...(scope === 'batch' ? { batch: name } : {}),
    ...(scope === 'mission' || scope === 'parked-mission' ? { mission: name } : {}),
  };
}

/** For people, after "parked for its": what a parked job waits for, and the command that releases it. */
export function describeParked({ scope, name }: ReadMark, budget: BudgetState | null = null): string {
  if (scope === 'parked-mission')
    return `mission, which a person set aside; fleet resume ${String(name)} lets it go on`;
  const option = scope === undefined ? '--batch NAME' : `--${scope} ${String(name)}`;
  return `budget${budget === null ? '' : ` (${describeBudget(budget)})`}; a higher one releases it: fleet budget USD ${option}`;
}

/** Groups parked jobs by what they wait for, most first. @param marks what `keys.parked` holds of them */
export function groupParked(marks: readonly string[]): { scope: string; name: string | null; count: number }[] {
  const groups = new Map<string, { scope: string; name: string | null; count: number }>();
  for (const text of marks) {
    const { scope = 'unknown', name = null } = parseMark(text);
    const key = JSON.stringify([scope, name]);
    const group = groups.get(key) ?? { scope, name, count: 0 };
    group.count += 1;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

/** How many of the parked jobs are in this queue. */
export function countParked(marks: readonly string[], queue: string): number {
  return marks.filter((text) => (parseMark(text).queue ?? 'tasks') === queue).length;
}

/** A mark as another version may have written it. One without a queue is of a task: older versions parked no other job. */
const markSchema = z.object({
  scope: z.string(),
  name: z.string().nullish(),
  queue: z.string().optional(),
});
type ReadMark = Partial<z.output<typeof markSchema>>;

/** Reads what `keys.parked` holds of one job; a damaged mark has no fields. */
export function parseMark(text: string): ReadMark {
  try {
    return markSchema.safeParse(JSON.parse(text)).data ?? {};
  } catch {
    return {};
  }
}

import { z } from 'zod';
import { noteChange, toNamed } from '../audit/note-change.ts';
import { UsageError } from '../errors.ts';
import { scanHash } from '../ledger/scan-hash.ts';
import { parseRecord } from '../redis/stored-record.ts';
import type { Db } from '../redis/db.ts';
import { enqueueOldTasks, type Enqueuing, type EnqueueParts } from './enqueue.ts';
import type { OldTask, OldTaskPlace } from './old-task.ts';
import { readOldTasks } from './read-tasks.ts';

/** A task that is older than the bridge's first start, and that nobody has done or taken. */
export interface OlderTask {
  /** The other program's id. */
  id: string;
  /** The job that it would be. */
  jobId: string;
  description: string;
  /** Why no worker could do it; null: one could. */
  problem: string | null;
}

const recordSchema = z.object({ id: z.string() });

/** Tasks of one read. */
const PAGE = 200;

/** Yields the tasks that wait for a person, in no order. */
export async function* eachOlder(parts: OldTaskPlace & { db: Db }): AsyncGenerator<OlderTask> {
  for await (const tasks of eachPage(parts)) {
    for (const { jobId, task, stamp } of tasks) {
      yield { id: stamp.task, jobId, description: task.description, problem: stamp.problem ?? null };
    }
  }
}

/** How many wait for a person. It counts those that were removed or done meanwhile, until the bridge looks again. */
export async function countOlder({ redis, keys }: Db): Promise<number> {
  return redis.hlen(keys.bridge('older'));
}

/**
 * Adds tasks that are older than the bridge.
 * @param wanted their old ids; `all`: every one
 * @returns what became of each
 * @throws UsageError for an id that is none of them; then nothing was added
 */
export async function takeOlder(
  parts: OldTaskPlace & EnqueueParts,
  wanted: readonly string[] | 'all',
): Promise<{ id: string; jobId: string; outcome: Enqueuing }[]> {
  const found: OldTask[] = [];
  for await (const tasks of eachPage(parts)) {
    found.push(...tasks.filter(({ stamp }) => wanted === 'all' || wanted.includes(stamp.task)));
  }
  const ids = new Set(found.map(({ stamp }) => stamp.task));
  const missing = wanted === 'all' ? undefined : wanted.find((id) => !ids.has(id));
  if (missing !== undefined) {
    throw new UsageError(
      `bridge: task:${missing} is none of those that wait; expected an id that \`fleet bridge ls\` lists`,
    );
  }
  const taken: { id: string; jobId: string; outcome: Enqueuing }[] = [];
  for (let from = 0; from < found.length; from += PAGE) {
    const page = found.slice(from, from + PAGE);
    const outcomes = await enqueueOldTasks(parts, page, 'taken');
    for (const [i, { jobId, stamp }] of page.entries()) {
      taken.push({ id: stamp.task, jobId, outcome: outcomes[i] ?? 'known' });
    }
  }
  const added = taken.filter(({ outcome }) => outcome === 'added').map(({ jobId }) => jobId);
  if (added.length > 0) await noteChange(parts.db, { what: 'bridge-take', about: toNamed(added) });
  return taken;
}

/** As they are now: one whose text is another by now is another task, which the bridge has taken. */
async function* eachPage(parts: OldTaskPlace & { db: Db }): AsyncGenerator<OldTask[]> {
  const { redis, keys } = parts.db;
  const seen = new Set<string>(); // HSCAN may give an entry twice
  let page = new Map<string, string>();
  const read = async (): Promise<OldTask[]> => {
    const [jobIds, ids] = [[...page.keys()], [...page.values()]];
    page = new Map();
    const known = await redis.hmget(keys.bridge('known'), ...jobIds);
    const open = new Set(jobIds.filter((_, i) => (known[i] ?? null) === null));
    const tasks = await readOldTasks(parts, ids, { ofShards: 'pending' });
    return tasks.filter(({ jobId }) => open.has(jobId));
  };
  for await (const [jobId, text] of scanHash(redis, keys.bridge('older'))) {
    const record = recordSchema.safeParse(parseRecord(text)).data;
    if (record === undefined || seen.has(jobId)) continue;
    seen.add(jobId);
    page.set(jobId, record.id);
    if (page.size >= PAGE) yield await read();
  }
  if (page.size > 0) yield await read();
}

import type { ChainableCommander } from 'ioredis';
import type { Db } from '../../redis/db.ts';
import type { Keys } from '../../redis/keys.ts';
import type { JobState } from './types.ts';
import { parseRecord } from '../../redis/stored-record.ts';

/** How a job ended. */
type Ended =
  | { state: 'completed'; findingId: string | null } // null: its return value names none
  | { state: 'failed'; reason: string }; // `word: text`

/** Whether a job has ended, and how. `open`: it waits or runs. `unknown`: there is no such job. */
export type EndView = { state: 'unknown' } | { state: 'open' } | Ended;

/** Where a job is, and how it ended. `unknown`: there is no such job. */
export type JobView = { state: Exclude<JobState, 'completed' | 'failed'> } | Ended;

/** Jobs in one pipeline, which takes Redis a few milliseconds. */
const CHUNK = 500;
/** Commands a job in `readJobs`. */
const LOOKS = 5;

/** Reads whether jobs have ended: one command a job, in order. */
export async function readEnds({ redis, keys }: Db, queue: string, ids: readonly string[]): Promise<EndView[]> {
  return inChunks(ids, async (chunk) => {
    const chain = redis.pipeline();
    for (const id of chunk) readHash(chain, keys, queue, id);
    const replies = await run(chain);
    return chunk.map((_, i) => toEndView(replies[i]));
  });
}

/**
 * Reads where jobs are, in order. BullMQ's own `getJobState` searches the whole waiting list for each job that waits
 * (LPOS); here each command is O(1) or O(log n), also with a million waiting jobs.
 * A job counts as active while a worker holds its lock: after a worker died, its job counts as waiting.
 */
export async function readJobs({ redis, keys }: Db, queue: string, ids: readonly string[]): Promise<JobView[]> {
  const [delayed, prioritized, children] = ['delayed', 'prioritized', 'waiting-children'].map((set) =>
    keys.queueKey(queue, set),
  );
  return inChunks(ids, async (chunk) => {
    const chain = redis.pipeline();
    for (const id of chunk) {
      // In the order in which a job goes through them: one that moves on meanwhile is found at its next place.
      chain
        .zscore(delayed ?? '', id)
        .zscore(prioritized ?? '', id)
        .exists(keys.jobLock(queue, id))
        .zscore(children ?? '', id);
      readHash(chain, keys, queue, id);
    }
    const replies = await run(chain);
    return chunk.map((_, i) => toView(replies.slice(LOOKS * i, LOOKS * (i + 1))));
  });
}

/** Reads where one job is. */
export async function readJob(db: Db, queue: string, id: string): Promise<JobView> {
  const [view = { state: 'unknown' as const }] = await readJobs(db, queue, [id]);
  return view;
}

/** Reads whether findings are written, in order. */
export async function readWritten({ redis, keys }: Db, findingIds: readonly string[]): Promise<boolean[]> {
  return inChunks(findingIds, async (chunk) => {
    const chain = redis.pipeline();
    for (const id of chunk) chain.exists(keys.finding(id));
    return (await run(chain)).map((reply) => reply === 1);
  });
}

function readHash(chain: ChainableCommander, keys: Keys, queue: string, id: string): void {
  chain.hmget(keys.queueKey(queue, id), 'timestamp', 'finishedOn', 'returnvalue', 'failedReason');
}

function toView([delayed, prioritized, locked, children, hash]: unknown[]): JobView {
  const end = toEndView(hash);
  if (end.state !== 'open') return end;
  if (delayed !== null) return { state: 'delayed' };
  if (children !== null) return { state: 'waiting-children' };
  if (locked === 1) return { state: 'active' };
  return { state: prioritized === null ? 'waiting' : 'prioritized' };
}

function toEndView(hash: unknown): EndView {
  const [timestamp = null, finishedOn = null, returnValue = null, failedReason = null] = hash as (string | null)[];
  if (timestamp === null) return { state: 'unknown' };
  if (finishedOn === null) return { state: 'open' };
  if (returnValue === null) return { state: 'failed', reason: failedReason ?? 'unknown' };
  return { state: 'completed', findingId: toFindingId(returnValue) };
}

/** The finding id in a job's return value. */
function toFindingId(returnValue: string): string | null {
  const value = parseRecord(returnValue);
  return value !== null && 'findingId' in value && typeof value.findingId === 'string' ? value.findingId : null;
}

async function inChunks<T>(ids: readonly string[], read: (chunk: readonly string[]) => Promise<T[]>): Promise<T[]> {
  const all: T[] = [];
  for (let from = 0; from < ids.length; from += CHUNK) all.push(...(await read(ids.slice(from, from + CHUNK))));
  return all;
}

async function run(chain: ChainableCommander): Promise<unknown[]> {
  return ((await chain.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}

import { queueRegistry, type QueueName } from '../../queues/registry.ts';
import { toLikeness } from '../config/source/likeness.ts';
import { toMissionFindingId } from '../coordinator/mission/id.ts';
import { NotFoundError, UsageError } from '../errors.ts';
import { toFindingId } from '../findings/finding.ts';
import { parseFinding } from '../findings/stored.ts';
import type { StoredFinding } from '../findings/types.ts';
import type { Db } from '../redis/db.ts';
import { toOneLine } from '../text/one-line.ts';

const QUEUES = Object.keys(queueRegistry) as QueueName[];
/** Jobs of each state that are looked at for an id like the one that was given. */
const LOOKED_AT = 300;
const ALIKE = 0.6;
const MOST_NAMED = 3;
/** No id is longer: such a text is like none, and is not repeated whole. */
const LONGEST_ID = 200;

/** Where a job is. `finding`: what it stored, where that was read. */
export interface FoundJob {
  id: string;
  queue: QueueName | null;
  finding: StoredFinding | null;
}

/**
 * Finds a job by its id, or by the id of its finding.
 * @throws UsageError for an empty id; NotFoundError that names ids which are like it
 */
export async function findJob(db: Db, id: string): Promise<FoundJob> {
  if (id.trim() === '') throw new UsageError('job: expected an id; fleet jobs lists them');
  const queue = await findQueue(db, id);
  if (queue !== null) return { id, queue, finding: null };
  const finding = await readFinding(db, [id, toFindingId(id), toMissionFindingId(id)]);
  if (finding?.job_id !== undefined && finding.job_id !== id) {
    return { id: finding.job_id, queue: await findQueue(db, finding.job_id), finding };
  }
  if (finding !== null || (await db.redis.exists(db.keys.run(id))) === 1) return { id, queue: null, finding };
  throw new NotFoundError(await describeUnknown(db, id));
}

async function findQueue({ redis, keys }: Db, id: string): Promise<QueueName | null> {
  const chain = redis.pipeline();
  // A part of the queue itself may have such a name; only a job has a time.
  for (const queue of QUEUES) chain.hexists(keys.queueKey(queue, id), 'timestamp');
  const replies = (await chain.exec()) ?? [];
  return QUEUES.find((_, i) => replies[i]?.[1] === 1) ?? null;
}

/** The first of these findings that there is. */
export async function readFinding({ redis, keys }: Db, ids: readonly string[]): Promise<StoredFinding | null> {
  const texts = await redis.mget(ids.map((id) => keys.finding(id))); // null where it holds no text
  const at = texts.findIndex((text) => text !== null);
  return at < 0 ? null : parseFinding(ids[at] ?? '', texts[at] ?? '');
}

/** @returns the message about an id that nothing has */
async function describeUnknown(db: Db, id: string): Promise<string> {
  const alike = [...(id.length > LONGEST_ID ? [] : await listRecent(db))]
    .map((other) => ({ other, likeness: toLikeness(id.toLowerCase(), other.toLowerCase()) }))
    .filter(({ likeness }) => likeness >= ALIKE)
    .toSorted((a, b) => b.likeness - a.likeness)
    .slice(0, MOST_NAMED)
    .map(({ other }) => other);
  const meant = alike.length === 0 ? '' : `; did you mean ${alike.join(', or ')}?`;
  return `job ${toOneLine(id, LONGEST_ID)}: no queue has it, and there is neither a finding nor a record of it${meant}`;
}

/** Ids of the newest jobs of each state. */
async function listRecent({ redis, keys }: Db): Promise<Set<string>> {
  const chain = redis.pipeline();
  for (const queue of QUEUES) {
    for (const set of ['failed', 'completed', 'delayed', 'waiting-children']) {
      chain.zrevrange(keys.queueKey(queue, set), 0, LOOKED_AT - 1);
    }
    for (const list of ['active', 'wait']) chain.lrange(keys.queueKey(queue, list), 0, LOOKED_AT - 1);
  }
  const replies = (await chain.exec()) ?? [];
  return new Set(replies.flatMap(([error, ids]) => (error ? [] : (ids as string[]))));
}

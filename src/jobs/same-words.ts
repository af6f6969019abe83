import type { QueueName } from '../../queues/registry.ts';
import { UsageError } from '../errors.ts';
import { parseFinding } from '../findings/stored.ts';
import type { Db } from '../redis/db.ts';
import { startOf } from '../text/start-of.ts';

/** The field of a job's data that says what it is about, and what a job is called. */
const WORDS: Record<QueueName, { field: string; noun: string }> = {
  tasks: { field: 'description', noun: 'task' },
  archive: { field: 'question', noun: 'question' },
  missions: { field: 'goal', noun: 'mission' },
};

/**
 * Checks that a job which exists under the caller's id is about the same: under an id that was used before, other work would be
 * dropped silently.
 * @throws UsageError if it is about something else
 */
export async function assertSameWords(
  { redis, keys }: Db,
  queue: QueueName,
  job: { id: string; findingId: string; words: string },
): Promise<void> {
  const { id, findingId, words } = job;
  const { field, noun } = WORDS[queue];
  const data = await redis.hget(keys.queueKey(queue, id), 'data');
  // A finding may be large: only that of a job that was removed is read. It may be of another type.
  const finding = data === null ? await redis.get(keys.finding(findingId)).catch(() => null) : null;
  const held = data === null ? toAsked(findingId, finding, id) : toWords(data, field);
  if (held === null || held.trim() === words.trim()) return;
  throw new UsageError(
    `${noun} id ${id}: another ${noun} has it (${JSON.stringify(startOf(held, 60))}); nothing was added. Choose another id, or leave it out`,
  );
}

/** Null where an edit by a person changed it, and where another program's data has no such text. */
function toWords(json: string, field: string): string | null {
  try {
    const data: unknown = JSON.parse(json);
    if (typeof data !== 'object' || data === null || Reflect.get(data, 'edited') === true) return null;
    const words: unknown = Reflect.get(data, field);
    return typeof words === 'string' ? words : null;
  } catch {
    return null;
  }
}

/** What the finding of a removed job answers. */
function toAsked(findingId: string, text: string | null, jobId: string): string | null {
  const finding = text === null ? null : parseFinding(findingId, text);
  return finding?.job_id === jobId ? (finding.task ?? null) : null;
}

import { tasksQueue } from '../../../queues/tasks.ts';
import { UsageError } from '../../errors.ts';
import { toFindingId } from '../../findings/finding.ts';
import { parseFinding } from '../../findings/stored.ts';
import type { Db } from '../../redis/db.ts';
import { startOf } from '../../text/start-of.ts';

/** Lines of a chunk that are compared with what the batch holds. */
const SAMPLE = 20;

/**
 * Checks that a batch does not hold *other* tasks under these line numbers. The tasks of another file under the same
 * batch name would have the same ids, so none of them would be added.
 * @throws UsageError if all sampled lines that the batch holds are other tasks
 */
export async function assertSameFile(
  { redis, keys }: Db,
  batch: string,
  entries: readonly { line: number; input: unknown; taskId?: string }[],
): Promise<void> {
  const sample = entries.slice(0, SAMPLE);
  const chain = redis.pipeline();
  for (const { taskId = '', input } of sample) {
    chain.hget(keys.queueKey(tasksQueue.name, taskId), 'data');
    chain.mget(keys.finding(toFindingId(taskId, toText(input, 'finding_id') ?? undefined)));
  }
  const replies = (await chain.exec()) ?? [];
  let same = 0;
  let other: { line: number; description: string } | null = null;
  for (const [i, { line, input, taskId = '' }] of sample.entries()) {
    const held = toHeld(replies[2 * i]?.[1], toFirst(replies[2 * i + 1]?.[1]), taskId);
    if (held === null) continue;
    if (held.edited || held.description === toText(input, 'description')) same += 1;
    else other ??= { line, description: held.description };
  }
  if (other === null || same > 0) return;
  throw new UsageError(
    `batch ${batch}: line ${other.line} is another task there (${JSON.stringify(startOf(other.description, 60))}); give this file a name of its own: --batch NAME`,
  );
}

/** The task of this id: its job's, or, once the job was removed, its finding's. */
function toHeld(job: unknown, finding: unknown, taskId: string): { description: string; edited: boolean } | null {
  if (typeof job === 'string') {
    const data: unknown = JSON.parse(job);
    return { description: toText(data, 'description') ?? '', edited: isEdited(data) };
  }
  const stored = typeof finding === 'string' ? parseFinding(taskId, finding) : null;
  return stored?.job_id === taskId ? { description: stored.task ?? '', edited: false } : null;
}

/** Set by a retry with an edit: such a job may differ from its line. */
function isEdited(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'edited' in data && data.edited === true;
}

function toText(value: unknown, name: 'description' | 'finding_id'): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const text: unknown = Object.entries(value).find(([key]) => key === name)?.[1];
  return typeof text === 'string' ? text : null;
}

/** The reply to `MGET`, which holds null for what is no text. */
function toFirst(reply: unknown): unknown {
  return Array.isArray(reply) ? reply[0] : null;
}

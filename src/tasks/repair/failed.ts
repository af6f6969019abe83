import type { Queue } from 'bullmq';
import { adviceFor } from './advice.ts';
import type { FailedFilter, FailedGroup, FailedJob } from './types.ts';
import type { Db } from '../../redis/db.ts';

const PAGE = 500;

/** Failed jobs, the oldest failure first, one page in memory at a time. @param since ms since 1970; default: all */
export async function* eachFailedJob(
  { redis, keys }: Db,
  queue: Pick<Queue, 'name'>,
  filter: FailedFilter = {},
  since = 0,
): AsyncGenerator<FailedJob> {
  const { batch, session, reason } = filter;
  const failed = keys.queueKey(queue.name, 'failed');
  // Read before the first job is yielded: a caller that retries jobs in its loop would otherwise skip some.
  const entries = await redis.zrange(failed, since, '+inf', 'BYSCORE', 'WITHSCORES');
  for (let from = 0; from < entries.length; from += 2 * PAGE) {
    const page = entries.slice(from, from + 2 * PAGE);
    const chain = redis.pipeline();
    for (let i = 0; i < page.length; i += 2) {
      chain.hmget(keys.queueKey(queue.name, page[i] ?? ''), 'failedReason', 'data');
    }
    const replies = (await chain.exec()) ?? [];
    for (const [i, [error, reply]] of replies.entries()) {
      if (error) throw error;
      const [failedReason, data] = reply as (string | null)[];
      if (data === null || data === undefined) continue; // removed meanwhile
      const job = toFailedJob(page[2 * i] ?? '', Number(page[2 * i + 1]), failedReason ?? '', data);
      if (session !== undefined && job.session !== session) continue;
      if ((batch === undefined || job.batch === batch) && (reason === undefined || job.reason === reason)) yield job;
    }
  }
}

/** Groups by reason, largest first. @param examples how many of the newest jobs of each group are kept; `batch`: if all are of one */
export async function groupFailedJobs(
  jobs: AsyncIterable<FailedJob>,
  { examples = 3, batch, isMission = false }: { examples?: number; batch?: string; isMission?: boolean } = {},
): Promise<FailedGroup[]> {
  const groups = new Map<string, FailedGroup>();
  for await (const job of jobs) {
    const group = groups.get(job.reason) ?? { reason: job.reason, count: 0, examples: [], repair: '' };
    group.count += 1;
    group.examples = [job, ...group.examples].slice(0, examples); // they come oldest first
    groups.set(job.reason, group);
  }
  const sorted = [...groups.values()].sort((a, b) => b.count - a.count || a.reason.localeCompare(b.reason));
  return sorted.map((group) => ({
    ...group,
    repair: adviceFor(group.reason, { id: group.examples[0]?.id, batch, isMission }),
  }));
}

/** `schema: the result …` → the word and the rest; a text without a word (BullMQ's own) is `other`. */
export function splitFailedReason(failedReason: string): { reason: string; text: string } {
  const [, reason, text] = /^([a-z][a-z0-9-]*): ?(.*)$/s.exec(failedReason) ?? [];
  return reason === undefined ? { reason: 'other', text: failedReason } : { reason, text: text ?? '' };
}

function toFailedJob(id: string, finishedOn: number, failedReason: string, json: string): FailedJob {
  const data = toObject(json);
  return {
    id,
    ...splitFailedReason(failedReason),
    description: toText(data['description'] ?? data['question'] ?? data['goal']),
    batch: typeof data['batch'] === 'string' ? data['batch'] : null,
    session: typeof data['session'] === 'string' ? data['session'] : null,
    failedAt: new Date(finishedOn).toISOString(),
  };
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Any program may have added the job: its data need not be an object, nor JSON. */
function toObject(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

import type { QueueName } from '../../../queues/registry.ts';
import { parseFinding } from '../../findings/stored.ts';
import type { StoredFinding } from '../../findings/types.ts';
import { toNanoUsd, toUsd } from '../../pricing/money.ts';
import type { Db } from '../../redis/db.ts';
import { toOneLine } from '../../text/one-line.ts';
import type { JobFilter, ListedJob } from './types.ts';
import type { JobNeedles } from './filter.ts';
import { PART, splitAnswer, type PlacedJob, type Source } from './source.ts';

/** Values of a row of `find-ended`. */
const WIDTH = 4;
/** Findings that no job wrote, but a step of one. */
const OF_STEPS = new Set(['summary', 'shard-test']);

/**
 * The jobs that BullMQ has dropped, by the findings that they left: it keeps the newest completed ones. A failed job without a job
 * left nothing.
 */
export function toEndedSources(db: Db, filter: JobFilter, needles: JobNeedles): Source[] {
  const { keys } = db;
  const { batch, session } = filter;
  const index =
    batch !== undefined ? keys.indexByBatch(batch) : session !== undefined ? keys.indexBySession(session) : keys.index;
  return [createSource(db, 'findings', index, needles), createSource(db, 'answers', keys.indexAnswers, needles)];
}

function createSource(db: Db, name: string, index: string, { above, ...needles }: JobNeedles): Source {
  const { keys, scripts } = db;
  const asked = {
    ...needles,
    ...(above === undefined ? {} : { above: above / 1e9 }),
    count: PART,
    finding: keys.finding(''),
  };
  return {
    name,
    async read(from, want) {
      const place = from === null ? {} : { from: { ...from, index: String(from.index) } };
      const answer = await scripts['find-ended']({ index }, [JSON.stringify({ ...asked, ...place, want })]);
      const { part, rows } = splitAnswer(answer, WIDTH);
      const found = rows.flatMap(([id = '', score = '', next = '', text = '']) => {
        const finding = parseFinding(id, text);
        return finding === null ? [] : (toFound(finding, { id, index: Number(next), score }) ?? []);
      });
      return { ...part, found: await withoutJobs(db, found) };
    },
  };
}

function toFound(finding: StoredFinding, after: PlacedJob['after']): PlacedJob | null {
  const { finding_id, job_id: id, kind = '', at, task = '', batch, mission_id, session, model, topics } = finding;
  if (id === undefined || OF_STEPS.has(kind)) return null;
  const isMission = kind === 'mission' || kind === 'paper';
  const queue: QueueName = isMission ? 'missions' : kind === 'archive' ? 'archive' : 'tasks';
  const costNanoUsd = finding.unmetered !== undefined || finding.cost === undefined ? null : toNanoUsd(finding.cost);
  const job: ListedJob = {
    id,
    kind: isMission ? 'mission' : kind === 'archive' ? 'question' : 'task',
    queue,
    state: 'done',
    reason: null,
    why: null,
    at,
    addedAt: null,
    dueAt: null,
    model: model ?? null,
    costUsd: toUsd(costNanoUsd),
    costNanoUsd,
    batch: batch ?? null,
    mission: isMission ? id : (mission_id ?? null),
    session: session ?? null,
    client: finding.client ?? null,
    worker: finding.worker_id ?? null,
    finding: finding_id,
    text: toOneLine(task, 200),
  };
  return { job, texts: [task, kind, topics, batch, mission_id, session, model, finding.client], after };
}

/** Leaves out those whose job is there: its own source lists it. */
async function withoutJobs({ redis, keys }: Db, found: PlacedJob[]): Promise<PlacedJob[]> {
  if (found.length === 0) return [];
  const chain = redis.pipeline();
  for (const { job } of found) chain.exists(keys.queueKey(job.queue, job.id));
  const replies = (await chain.exec()) ?? [];
  return found.filter((_, i) => {
    const [error, reply] = replies[i] ?? [];
    if (error) throw error;
    return reply === 0;
  });
}

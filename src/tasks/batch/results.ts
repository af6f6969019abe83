import type { Queue } from 'bullmq';
import { PARTIAL } from '../../findings/finding.ts';
import { countToolErrors, isPartial } from '../../findings/marks.ts';
import { parseFinding } from '../../findings/stored.ts';
import type { StoredFinding } from '../../findings/types.ts';
import { withOriginals } from '../../findings/condensed.ts';
import { toUsdString } from '../../pricing/money.ts';
import type { JobTotals } from '../../ledger/types.ts';
import { readJobs, type JobView } from '../../jobs/state/states.ts';
import type { Db } from '../../redis/db.ts';
import { readPublicText } from '../../redis/public-text.ts';
import type { Spool, SpoolEntry } from './spool.ts';

/** One line of `--out`, for one line of the batch file. */
export interface ResultLine {
  /** 1-based. */
  line: number;
  /** Null for a line that is no task. */
  task_id: string | null;
  /**
   * `completed`, `partial` (its worker ran out of turns; the result is what it had) and `failed`; `waiting`, `active`, `delayed`, `parked` while it has not ended; `invalid` and `blank` for
   * lines that are no task; `missing` for a task that is neither in the queue nor has a finding.
   */
  state: string;
  finding_id: string | null;
  result: unknown;
  /** US dollars, also of a failed task. Null if unknown. */
  cost: number | null;
  error: string | null;
  /** Count of its tool calls that failed; the finding names them. 0 without a finding. */
  tool_errors: number;
}

const CHUNK = 500;

/** The state of every line of a load, in order. */
export async function* eachResult(db: Db, queue: Queue, spool: Spool): AsyncGenerator<ResultLine> {
  for await (const chunk of spool.chunks(CHUNK)) {
    const tasks = chunk.filter((entry) => 'id' in entry);
    const ends = await readEnds(db, queue, tasks);
    for (const entry of chunk) yield toResultLine(entry, 'id' in entry ? ends.get(entry.id) : undefined);
  }
}

type TaskEntry = Extract<SpoolEntry, { id: string }>;

interface TaskEnd {
  state: string;
  finding: StoredFinding | null;
  cost: number | null;
  error: string | null;
}

async function readEnds(db: Db, queue: Queue, tasks: TaskEntry[]): Promise<Map<string, TaskEnd>> {
  const { redis, keys } = db;
  const ends = new Map<string, TaskEnd>();
  if (tasks.length === 0) return ends;
  const ids = tasks.map(({ findingId }) => findingId);
  const stored = await redis.mget(ids.map((id) => keys.finding(id)));
  const texts = await withOriginals(db, ids, stored);
  const open: TaskEntry[] = [];
  for (const [i, task] of tasks.entries()) {
    const finding = toOwnFinding(texts[i] ?? null, task);
    if (finding === null) open.push(task);
    else ends.set(task.id, toCompleted(finding));
  }
  if (open.length === 0) return ends;
  const jobs = await readJobs(
    db,
    queue.name,
    open.map(({ id }) => id),
  );
  const chain = redis.pipeline();
  for (const { id } of open) chain.hget(keys.turns(id), 'totals').hexists(keys.parked, id);
  const replies = (await chain.exec()) ?? [];
  for (const [i, task] of open.entries()) {
    const job = jobs[i] ?? { state: 'unknown' };
    const ended = job.state === 'unknown' || job.state === 'completed';
    const late = ended ? toOwnFinding(await readPublicText(redis, keys.finding(task.findingId)), task) : null; // ended between the two looks
    const [totals, parked] = [replies[2 * i]?.[1], replies[2 * i + 1]?.[1]];
    ends.set(
      task.id,
      late === null
        ? {
            ...toOpenEnd(job, parked === 1),
            finding: null,
            cost: typeof totals === 'string' && totals !== '' ? toCost(totals) : null,
          }
        : toCompleted(late),
    );
  }
  return ends;
}

/** A finding id that the caller chose may belong to another task. */
function toOwnFinding(text: string | null, task: TaskEntry): StoredFinding | null {
  const finding = text === null ? null : parseFinding(task.findingId, text);
  return finding?.job_id === task.id ? finding : null;
}

function toCompleted(finding: StoredFinding): TaskEnd {
  const state = isPartial(finding) ? PARTIAL : 'completed';
  return { state, finding, cost: finding.unmetered === undefined ? (finding.cost ?? null) : null, error: null };
}

function toOpenEnd(job: JobView, parked: boolean): { state: string; error: string | null } {
  if (job.state === 'failed') return { state: job.state, error: job.reason };
  if (job.state === 'delayed' && parked) return { state: 'parked', error: 'parked: budget' };
  if (job.state === 'unknown') return { state: 'missing', error: 'neither its job nor a finding is there' };
  if (job.state === 'completed') return { state: 'missing', error: 'its job completed, its finding was removed' };
  return { state: job.state, error: null };
}

function toResultLine(entry: SpoolEntry, end: TaskEnd | undefined): ResultLine {
  if (!('id' in entry)) {
    const state = 'blank' in entry ? 'blank' : 'invalid';
    const error = 'blank' in entry ? null : entry.error;
    return {
      line: entry.line,
      task_id: null,
      state,
      finding_id: null,
      result: null,
      cost: null,
      error,
      tool_errors: 0,
    };
  }
  const { state = 'missing', finding = null, cost = null, error = null } = end ?? {};
  return {
    line: entry.line,
    task_id: entry.id,
    state,
    finding_id: finding?.finding_id ?? null,
    result: finding?.result ?? null,
    cost,
    error,
    tool_errors: finding === null ? 0 : countToolErrors(finding),
  };
}

function toCost(totals: string): number {
  return Number(toUsdString((JSON.parse(totals) as JobTotals).nanoUsd, 6));
}

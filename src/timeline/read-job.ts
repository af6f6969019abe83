import type { QueueName } from '../../queues/registry.ts';
import { isCancelled } from '../jobs/cancelled.ts';
import { readBlocker, type Blocker } from '../jobs/state/blocked.ts';
import { readJob } from '../jobs/state/states.ts';
import type { JobState } from '../jobs/state/types.ts';
import { toNanoUsd, toUsd } from '../pricing/money.ts';
import type { Db } from '../redis/db.ts';
import { orIfDamaged } from '../redis/errors/or-if-damaged.ts';
import { parseRecord, toStoredCount } from '../redis/stored-record.ts';
import { toBookedCost, toRecordedCost } from '../run-record/booked-cost.ts';
import { readRun } from '../run-record/read-run.ts';
import type { RunEntry } from '../run-record/types.ts';
import { readFinding, type FoundJob } from './find-job.ts';
import { isNoted, mergeTimeline, type JobTimes } from './merge-timeline.ts';
import { toNextStep } from './next-step.ts';
import type { JobDetails } from './types.ts';

/** One look at a job. */
export interface JobLook {
  details: JobDetails;
  timeline: RunEntry[];
  /** When a worker took the job that has noted nothing yet: the entry `taken` of this time is BullMQ's. Null: it is the worker's own. */
  unnotedAt: number | null;
  /** The call that is under way, an entry of the timeline. Null: there is none. */
  open: RunEntry | null;
}

/** What BullMQ knows of a job. */
interface Stored {
  times: JobTimes;
  data: Record<string, unknown>;
  worker: string | null;
}

/** What `fleet jobs` lists as parked. */
const PARKED: ReadonlySet<Blocker['kind']> = new Set(['asks', 'planned', 'parked', 'waits-for-budget']);

const NOT_STORED: Stored = { times: { queuedAt: null, takenAt: null, endedAt: null }, data: {}, worker: null };

/** Reads where a job is, what it waits for, and what happened to it. */
export async function lookAtJob(db: Db, { id, queue, finding: known }: FoundJob): Promise<JobLook> {
  const [stored, view, entries, books] = await Promise.all([
    queue === null ? NOT_STORED : readStored(db, queue, id),
    queue === null ? { state: 'unknown' as const } : readJob(db, queue, id),
    readRun(db, id),
    readBooks(db, id),
  ]);
  const findingId = view.state === 'completed' ? view.findingId : null;
  const finding = known ?? (findingId === null ? null : await readFinding(db, [findingId]));
  const failure = view.state === 'failed' ? splitReason(view.reason) : null;
  const blocker = queue === null ? null : await readBlocker(db, { queue, id, state: view.state });
  const costNanoUsd = toCost(books.totals, finding?.cost, entries);
  const { data, worker } = stored;
  const details: JobDetails = {
    id,
    queue,
    state: toState(view.state, { failure, blocker }),
    text: toText(data['description'] ?? data['question'] ?? data['goal']) ?? finding?.task ?? null,
    model: toText(data['model']) ?? finding?.model ?? null,
    batch: toText(data['batch']) ?? finding?.batch ?? null,
    mission: toText(data['mission_id']) ?? finding?.mission_id ?? null,
    worker: worker ?? finding?.worker_id ?? null,
    findingId: finding?.finding_id ?? findingId,
    failure,
    costNanoUsd,
    costUsd: toUsd(costNanoUsd),
    waits: queue === null ? null : toNextStep({ id, queue, failure, blocker }),
    isRecorded: entries.length > 0,
  };
  const { takenAt } = stored.times;
  const unnotedAt = takenAt === null || isNoted(entries, takenAt) ? null : takenAt;
  return {
    details,
    unnotedAt,
    open: books.open,
    timeline: mergeTimeline({ entries, times: stored.times, worker, failure, finding, open: books.open }),
  };
}

/** What waits for a person, or for a budget that a person raises, is parked, wherever its queue holds it. */
function toState(
  state: JobState,
  { failure, blocker }: { failure: JobDetails['failure']; blocker: Blocker | null },
): JobDetails['state'] {
  if (failure !== null && isCancelled(failure.reason)) return 'cancelled';
  return blocker !== null && PARKED.has(blocker.kind) ? 'parked' : state;
}

/** What its calls have cost so far, and the call that is under way: its reservation tells of it. */
async function readBooks({ redis, keys }: Db, id: string): Promise<{ totals: string | null; open: RunEntry | null }> {
  const [totals = null, reservation = null] = await orIfDamaged(
    redis.hmget(keys.turns(id), 'totals', 'reservation'),
    [],
  );
  const packed =
    reservation === null || reservation === ''
      ? null
      : await orIfDamaged(redis.hget(keys.reservations, reservation), null);
  const [, worst, at] = /^(\d+)\|(\d+)\|/.exec(packed ?? '') ?? [];
  const turn = reservation?.split('#').at(-3)?.split(':').slice(1).join(':'); // `<job>#<epoch>:<turn>#<worker>#<time>`
  if (worst === undefined || turn === undefined) return { totals, open: null };
  return { totals, open: { at: Number(at), kind: 'reserved', turn, nanoUsd: Number(worst) } };
}

async function readStored({ redis, keys }: Db, queue: QueueName, id: string): Promise<Stored> {
  const [timestamp, processedOn, finishedOn, by, data] = await redis.hmget(
    keys.queueKey(queue, id),
    'timestamp',
    'processedOn',
    'finishedOn',
    'pb',
    'data',
  );
  const times = { queuedAt: toTime(timestamp), takenAt: toTime(processedOn), endedAt: toTime(finishedOn) };
  return { times, data: { ...parseRecord(data) }, worker: by ?? null };
}

function toTime(text: string | null | undefined): number | null {
  const ms = toStoredCount(text);
  return ms > 0 ? ms : null;
}

/** The books know it while the job is open, its finding afterwards; of a failed or removed one without both, its record. */
function toCost(totals: string | null, cost: number | undefined, entries: readonly RunEntry[]): number | null {
  const booked = toBookedCost(totals);
  if (booked !== null) return booked;
  if (cost !== undefined && Number.isFinite(cost)) return toNanoUsd(cost);
  return toRecordedCost(entries);
}

/** `schema: the result …` → the word and the rest; a text without a word, BullMQ's own, is `other`. */
function splitReason(text: string): { reason: string; text: string } {
  const [, reason, rest = ''] = /^([a-z][a-z0-9-]*): ?(.*)$/s.exec(text) ?? [];
  return reason === undefined ? { reason: 'other', text } : { reason, text: rest };
}

function toText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

import { randomUUID } from 'node:crypto';
import { UnrecoverableError, WaitingError } from 'bullmq';
import {
  CancelledError,
  InvalidJobError,
  ProviderUnavailableError,
  QuarantinedError,
  TaskFailedError,
  toMessage,
} from '../../errors.ts';
import { readAssistStamp } from '../../../queues/assist.ts';
import { toUtcDay } from '../../findings/timestamp.ts';
import { noteFailure } from '../../halt/error-rate.ts';
import { readWastedCost } from '../../ledger/report/wasted-cost.ts';
import { toActivityText } from '../../swarm/activity.ts';
import { toWellFormedJson } from '../../text/well-formed.ts';
import { dropAssistsOf } from '../assist/drop-assists.ts';
import { endAssist } from '../assist/end-assist.ts';
import { CANCELLED } from '../cancelled.ts';
import { toEscalation } from '../escalation.ts';
import { backToWaiting } from './moves.ts';
import { respondWithFailure, toPublicQueryId } from './failed-response.ts';
import { answerWithFailure, toOldId } from './old-failure.ts';
import type { ThrownRun } from './types.ts';

/** Stored turns of a failed job are kept this long for a retry by a person. */
const KEEP_TURNS_SECONDS = 7 * 24 * 3600;

/** Reasons of the errors whose class alone determines the reason. */
const REASONS = [
  [InvalidJobError, 'invalid-job'],
  [CancelledError, CANCELLED],
  [QuarantinedError, 'quarantined'],
  [ProviderUnavailableError, 'provider-unavailable'],
] as const;

/** The word that groups failures: the part of `failedReason` before its colon. */
export function toFailureReason(thrown: unknown): string {
  if (thrown instanceof TaskFailedError) return thrown.reason;
  return REASONS.find(([type]) => thrown instanceof type)?.[1] ?? 'error';
}

/**
 * Records a failure. It writes everything before BullMQ moves the job: if the worker dies in between, the job runs again
 * and comes to the same end. It writes nothing for a job that this worker no longer holds.
 * @returns the error that makes BullMQ fail the job
 */
export async function fail(thrown: unknown, run: Omit<ThrownRun, 'counter'>): Promise<Error> {
  const { job, parts } = run;
  const { redact, clock } = parts.db;
  const reason = toFailureReason(thrown);
  const jobId = job.id ?? '';
  const isTask = job.queueName === 'tasks';
  const batch = isTask ? toName(job.data, 'batch') : null; // a query's batch pays for it, but it is none of its tasks
  parts.record?.note({ kind: 'failed', reason, text: toMessage(thrown) });
  const isNoted = await writeFailure(thrown, run, batch, {
    counter: `failed_${reason.replaceAll('-', '_')}`,
    cause: isOfTask(thrown) ? 'task' : 'provider',
    attempt: String(job.attemptsMade),
    keep_seconds: KEEP_TURNS_SECONDS,
    text: toActivityText(`${reason}: ${toMessage(thrown)}`),
    batch: toName(job.data, 'batch') ?? '',
    mission: toName(job.data, 'mission_id') ?? '',
  });
  if (!isNoted) return new WaitingError(); // another worker has the job, or will: it decides what becomes of it
  const allowed = job.opts.attempts ?? 1;
  if (allowed > 1)
    await job.log(`it allows ${allowed} attempts; the fleet makes one: fleet retry ${jobId} makes another`);
  const queryId = job.queueName === 'archive' ? toPublicQueryId(job.data) : null;
  if (queryId !== null) {
    const failed = { queryId, reason, text: toMessage(thrown), workerId: parts.workerId };
    await respondWithFailure(parts.db, failed, clock.date());
  }
  const oldId = isTask ? toOldId(job.data) : null;
  if (oldId !== null) await answerWithFailure(parts.db, { oldId, jobId, reason, text: toMessage(thrown) });
  if (isTask) await endHelp(job, parts);
  const halted = await noteFailure(parts, { jobId, reason });
  if (halted) parts.log.error({ reason: 'error-rate' }, 'the fleet is halted');
  // Unrecoverable, even if the program that added the job allowed more attempts: nothing is retried silently.
  const error = new UnrecoverableError(redact(`${reason}: ${toMessage(thrown)}`));
  // Bull Board shows the stack first: the place of a bug, and only the reason of a foreseen failure.
  const hasStack = reason === 'error' && thrown instanceof Error;
  error.stack = hasStack ? redact(thrown.stack ?? error.message) : error.message; // BullMQ packs it in bytes
  return error;
}

/**
 * Gives a failed task to the next model of its `escalate`, which begins anew. What it cost is booked as rework before the job
 * changes: a worker that dies in between comes to the same failure by stored replies, and counts nothing again.
 * @returns null: no other model is to try it, and it fails
 */
export async function escalate(thrown: TaskFailedError, run: ThrownRun): Promise<Error | null> {
  const { job, parts } = run;
  const next = job.queueName === 'tasks' ? toEscalation(job.data, thrown, parts.defaultModel ?? '') : null;
  if (next === null) return null;
  if (!(await writeFailure(thrown, run, null, { escalates: true }))) return new WaitingError();
  await job.updateData({ ...job.data, ...next });
  const why = `${thrown.reason}: ${thrown.message}`;
  return backToWaiting(thrown, run, `${next.model} tries it again, after ${why}`, {
    kind: 'escalated',
    to: next.model,
    why,
  });
}

/** Runs `note-failure`. @returns false: this worker holds the job no more, and nothing was written */
async function writeFailure(
  thrown: unknown,
  { job, token, parts }: Omit<ThrownRun, 'counter'>,
  batch: string | null,
  fields: object,
): Promise<boolean> {
  const { keys, scripts, clock } = parts.db;
  const jobId = job.id ?? '';
  const model = thrown instanceof TaskFailedError ? thrown.model : undefined;
  const spent = job.queueName === 'tasks' ? await readWastedCost(job, parts, model) : null;
  const noted = await scripts['note-failure'](
    {
      counters: keys.counters,
      job: keys.queueKey(job.queueName, jobId),
      lock: keys.jobLock(job.queueName, jobId),
      turns: keys.turns(jobId),
      cancelled: keys.cancelled,
      cancelledEnds: keys.cancelledEnds(job.queueName),
      ledger: keys.ledger(spent?.day ?? toUtcDay(clock.date())),
      ledgerDays: keys.ledgerDays,
      totals: keys.sessionTotals(spent?.sessionName ?? ''),
      activity: keys.activity,
      run: keys.run(jobId),
      metrics: keys.metrics,
      ...(batch === null ? {} : { batchFailed: keys.batchFailed(batch) }),
    },
    [
      toWellFormedJson({
        call: randomUUID(),
        job: jobId,
        token,
        worker: parts.workerId,
        at: String(clock.now()),
        ...fields,
        ...(spent === null ? {} : { spent }),
        ...(parts.record === undefined ? {} : { record: parts.record.take() }),
      }),
    ],
  );
  return noted !== -1;
}

/** Nobody helps a task that fails, and one that fails helps nobody. */
async function endHelp({ id = '', data }: ThrownRun['job'], { db, queue }: ThrownRun['parts']): Promise<void> {
  const stamp = readAssistStamp(data);
  if (stamp === null) await dropAssistsOf(db, queue, id);
  else await endAssist({ db, queue }, stamp, { helps: false, findingId: null });
}

/** Whether the task itself is the cause: then a retry does not use its stored turns again. */
function isOfTask(thrown: unknown): boolean {
  if (thrown instanceof TaskFailedError) return thrown.reason !== 'timeout'; // more time may help where it stood
  return thrown instanceof InvalidJobError || thrown instanceof CancelledError;
}

/** Any program may have added the job: its data may be anything. */
function toName(data: unknown, field: 'batch' | 'mission_id'): string | null {
  const value: unknown = Reflect.get(Object(data), field);
  return typeof value === 'string' ? value : null;
}

import { DelayedError, WaitingChildrenError, WaitingError, type Job } from 'bullmq';
import {
  AccountRefusedError,
  BudgetHeldError,
  BudgetReachedError,
  CancelledError,
  HaltError,
  InvalidJobError,
  LockLostError,
  ModelCoolingError,
  ProviderUnavailableError,
  QuarantinedError,
  RateLimitedError,
  ShardsUsedUpError,
  ShutdownError,
  TaskFailedError,
} from '../../errors.ts';
import { coolDown, countUnavailable, GIVE_UP_AFTER_MS, toBackoffMs } from './backoff.ts';
import { fail } from './failure.ts';
import { backToWaiting, delay } from './moves.ts';
import { park } from './park.ts';
import type { OutcomeParts, ThrownRun } from './types.ts';

/** First wait for money that calls under way have reserved, and the longest. */
const HELD_WAIT_MS = 300;
const LONGEST_HELD_WAIT_MS = 10_000;

type ErrorClass<Thrown extends Error = Error> = abstract new (...args: never[]) => Thrown;

/** What becomes of a job whose run threw an error of one class. */
export interface Outcome {
  /** Null: anything else. */
  thrown: ErrorClass | null;
  /** Which errors of the class, if it has several rows. */
  which: string | null;
  job: 'is left alone' | 'back to waiting' | 'parked' | 'delayed' | 'failed';
  /** The halt of the fleet, by its reason. */
  halts: string | null;
  /** Of the status; null: none, or that of the failure's reason. */
  counter: string | null;
  /**
   * Notes why, then moves the job.
   * @returns the error for BullMQ; null: the row does not apply to this error, the next may
   */
  apply(thrown: unknown, run: Omit<ThrownRun, 'counter'>): Promise<Error | null>;
}

/** All outcomes; the first row that applies decides. ARCHITECTURE.md shows this table. */
export const OUTCOMES: readonly Outcome[] = [
  row(LockLostError, 'is left alone', {}, async () => new WaitingError()), // another worker has the job: touch nothing
  row(ShutdownError, 'back to waiting', { counter: 'handed_back_shutdown' }, backToWaiting),
  row(HaltError, 'back to waiting', { counter: 'handed_back_halt' }, async (thrown, run) => {
    await run.parts.halt.enforce();
    return backToWaiting(thrown, run, `halted: ${thrown.message}`);
  }),
  row(
    AccountRefusedError,
    'back to waiting',
    { counter: 'handed_back_halt', halts: 'account-refused' },
    (thrown, run) => backToWaiting(thrown, run, `the provider refuses the account: ${thrown.message}`),
  ),
  row(
    BudgetReachedError,
    'back to waiting',
    { which: 'of the day', when: ({ scope }) => scope === 'day', counter: 'handed_back_halt', halts: 'budget' },
    backToWaiting,
  ),
  row(
    BudgetReachedError,
    'parked',
    { which: 'of its own', when: ({ limitNanoUsd }) => limitNanoUsd >= 0, counter: 'parked_budget' },
    park,
  ),
  row(BudgetReachedError, 'parked', { which: 'of a parked mission', counter: 'parked_with_mission' }, park),
  row(BudgetHeldError, 'delayed', { counter: 'waits_budget' }, (thrown, run) =>
    delay(thrown, run, toHeldWaitMs(run.job)),
  ),
  row(RateLimitedError, 'delayed', { counter: 'waits_rate_limit' }, async (thrown, run) => {
    return delay(thrown, run, await coolDown(run.parts.db, thrown.model, thrown.retryAfterMs));
  }),
  row(ModelCoolingError, 'delayed', { counter: 'waits_cooling' }, (thrown, run) => delay(thrown, run, thrown.delayMs)),
  row(ShardsUsedUpError, 'delayed', { counter: 'waits_shards' }, (thrown, run) => delay(thrown, run, thrown.delayMs)),
  row(ProviderUnavailableError, 'delayed', { counter: 'waits_unavailable' }, async (thrown, run) => {
    const now = Date.now();
    const { failures, since } = await countUnavailable(run.parts.db, run.job.id ?? '', thrown, now);
    return now - since > GIVE_UP_AFTER_MS ? null : delay(thrown, run, toBackoffMs(failures));
  }),
  row(ProviderUnavailableError, 'failed', { which: 'after two hours' }, fail),
  row(TaskFailedError, 'failed', {}, fail),
  row(InvalidJobError, 'failed', {}, fail),
  row(CancelledError, 'failed', {}, fail),
  row(QuarantinedError, 'failed', {}, fail),
  { thrown: null, which: null, job: 'failed', halts: null, counter: null, apply: fail },
];

/**
 * Decides what becomes of a job whose run threw; nothing else does. Each wait, recovery and failure leaves a line in the
 * job's log and a counter for the status.
 * @returns the error to throw to BullMQ, which does the rest
 */
export async function toOutcome(thrown: unknown, job: Job, token: string, parts: OutcomeParts): Promise<Error> {
  if (thrown instanceof WaitingChildrenError || thrown instanceof DelayedError) return thrown; // the handler has moved the job
  const run = { job, token, parts };
  for (const outcome of OUTCOMES) {
    const error = await outcome.apply(thrown, run);
    if (error !== null) return error;
  }
  throw new TypeError('the last row applies to everything');
}

function row<Thrown extends Error>(
  thrown: ErrorClass<Thrown>,
  job: Outcome['job'],
  options: { which?: string; when?: (thrown: Thrown) => boolean; counter?: string; halts?: string },
  apply: (thrown: Thrown, run: ThrownRun) => Promise<Error | null>,
): Outcome {
  const { which = null, when = () => true, counter = null, halts = null } = options;
  return {
    thrown,
    which,
    job,
    halts,
    counter,
    async apply(error, ended) {
      if (!(error instanceof thrown) || !when(error)) return null;
      const run = { ...ended, counter: counter ?? '' };
      if (halts !== null) await haltFor(halts, error, run);
      return apply(error, run);
    },
  };
}

/** Calls under way end within seconds, or within minutes: the longer a job has waited for them, the less often it asks. */
function toHeldWaitMs(job: Job): number {
  return Math.min(LONGEST_HELD_WAIT_MS, HELD_WAIT_MS * Math.max(1, job.attemptsStarted));
}

async function haltFor(reason: string, thrown: Error, { job, parts }: ThrownRun): Promise<void> {
  const first = await parts.halt.halt({
    reason,
    step: `job ${job.id ?? ''} in ${job.queueName}`,
    by: parts.workerId,
    detail: thrown.message,
  });
  if (first) parts.log.error({ reason, detail: thrown.message }, 'the fleet is halted');
}

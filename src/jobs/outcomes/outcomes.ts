import { DelayedError, WaitingChildrenError, WaitingError, type Job } from 'bullmq';
import {
  AccountRefusedError,
  AwaitsPeersError,
  BudgetHeldError,
  BudgetReachedError,
  CancelledError,
  DamagedKeyError,
  ForOutsideError,
  HaltError,
  HeldElsewhereError,
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
import { isDamage } from '../../swarm/damage/damaged-keys.ts';
import { isNotHeld } from '../not-held.ts';
import { awaitPeers } from './await-peers.ts';
import { coolDown, countUnavailable, GIVE_UP_AFTER_MS, toBackoffMs } from './backoff.ts';
import { toDamage } from './damage.ts';
import { escalate, fail } from './failure.ts';
import { offerOutside } from './offer-outside.ts';
import { backToWaiting, delay, type WakeOn } from './moves.ts';
import { park } from './park.ts';
import { waitElsewhere } from './wait-elsewhere.ts';
import type { OutcomeParts, ThrownRun } from './types.ts';

/** Longest wait for money that calls under way have reserved: their end wakes the job before. */
const HELD_WAIT_MS = 10_000;

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
    return backToWaiting(thrown, run, `halted: ${thrown.message}`, { kind: 'halted', reason: thrown.message });
  }),
  row(
    AccountRefusedError,
    'back to waiting',
    { counter: 'handed_back_halt', halts: 'account-refused' },
    (thrown, run) => {
      const reason = `the provider refuses the account: ${thrown.message}`;
      return backToWaiting(thrown, run, reason, { kind: 'halted', reason });
    },
  ),
  row(DamagedKeyError, 'back to waiting', { counter: 'handed_back_halt', halts: 'damaged-key' }, backHalted),
  row(
    BudgetReachedError,
    'back to waiting',
    { which: 'of the day', when: ({ scope }) => scope === 'day', counter: 'handed_back_halt', halts: 'budget' },
    backHalted,
  ),
  row(
    BudgetReachedError,
    'parked',
    { which: 'of its own', when: ({ limitNanoUsd }) => limitNanoUsd >= 0, counter: 'parked_budget' },
    park,
  ),
  row(BudgetReachedError, 'parked', { which: 'of a parked mission', counter: 'parked_with_mission' }, park),
  row(BudgetHeldError, 'delayed', { counter: 'waits_budget' }, (thrown, run) => {
    const { scope, scopeName: name, worstNanoUsd } = thrown;
    return delay(thrown, run, HELD_WAIT_MS, { reason: { kind: 'money', scope, name }, worstNanoUsd });
  }),
  row(RateLimitedError, 'delayed', { counter: 'waits_rate_limit' }, async (thrown, run) => {
    const ms = await coolDown(run.parts.db, thrown.model, thrown.retryAfterMs);
    return delay(thrown, run, ms, await wakeOnModel(thrown.model, run));
  }),
  row(ModelCoolingError, 'delayed', { counter: 'waits_cooling' }, async (thrown, run) =>
    delay(thrown, run, thrown.delayMs, await wakeOnModel(thrown.model, run)),
  ),
  row(ShardsUsedUpError, 'delayed', { counter: 'waits_shards' }, (thrown, run) =>
    delay(thrown, run, thrown.delayMs, thrown.isForAnyShard ? { reason: { kind: 'shards' } } : null),
  ),
  row(AwaitsPeersError, 'delayed', { counter: 'waits_peers' }, awaitPeers),
  row(ForOutsideError, 'delayed', { counter: 'offered_outside' }, offerOutside),
  row(HeldElsewhereError, 'delayed', { counter: 'waits_elsewhere' }, waitElsewhere),
  row(ProviderUnavailableError, 'delayed', { counter: 'waits_unavailable' }, async (thrown, run) => {
    const { failures, downMs } = await countUnavailable(run.parts.db, run.job.id ?? '', thrown);
    if (downMs > GIVE_UP_AFTER_MS) return null;
    return delay(thrown, run, toBackoffMs(failures), await wakeOnModel(thrown.model, run));
  }),
  row(ProviderUnavailableError, 'failed', { which: 'after two hours' }, fail),
  row(TaskFailedError, 'back to waiting', { which: 'and another model is to try', counter: 'escalated' }, escalate),
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
  const why = await toDamage(thrown, job, parts.db);
  try {
    for (const outcome of OUTCOMES) {
      const error = await outcome.apply(why, run);
      if (error !== null) return error;
    }
  } catch (error) {
    if (isNotHeld(error)) return new WaitingError(); // it has moved already, or another worker has it
    // What the outcome itself writes may be damaged, too: the job ends with the reason that is known.
    if (isDamage(error) && why instanceof Error) return new Error(`error: ${why.message}`);
    throw error;
  }
  throw new TypeError('the last row applies to everything');
}

/** For the errors that halt the fleet. */
function backHalted(thrown: Error, run: ThrownRun): Promise<Error> {
  return backToWaiting(thrown, run, thrown.message, { kind: 'halted', reason: thrown.message });
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

/** Null where the model does not cool down: a job that alone finds its provider down keeps its own waits. */
async function wakeOnModel(model: string, { parts }: Pick<ThrownRun, 'parts'>): Promise<WakeOn | null> {
  const { redis, keys } = parts.db;
  return (await redis.exists(keys.cooldown(model))) === 1 ? { reason: { kind: 'model', model } } : null;
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

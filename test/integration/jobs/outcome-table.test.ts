import { UnrecoverableError, type Job } from 'bullmq';
import { expect, test } from 'vitest';
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
} from '../../../src/errors.ts';
import { toOutcome } from '../../../src/jobs/outcomes/outcomes.ts';
import { createLogger } from '../../../src/process/logger.ts';
import { bare, table } from '../../support/docs.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { takeJob } from '../../support/fleet/bare-queue.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const TOKEN = 'token';
const TWO_HOURS_MS = 2 * 3600_000;

interface Case {
  thrown: Error;
  /** The state before the run throws. */
  before?: (jobId: string) => Promise<unknown>;
  /** What the task has besides its description. */
  data?: { escalate?: string[] };
}

/** One error for each row of the table, by the row's first cell. */
const CASES: Record<string, Case> = {
  LockLostError: { thrown: new LockLostError('another worker has it') },
  ShutdownError: { thrown: new ShutdownError('the process ends') },
  HaltError: { thrown: new HaltError('person') },
  AccountRefusedError: { thrown: new AccountRefusedError('401') },
  DamagedKeyError: { thrown: new DamagedKeyError('the index holds a list') },
  'BudgetReachedError of the day': { thrown: new BudgetReachedError('day', '', 'reached', 1) },
  'BudgetReachedError of its own': {
    thrown: new BudgetReachedError('batch', 'first', 'reached', 1),
    before: () => redis.redis.hset(redis.keys.spend('batch:first'), 'limit', '1'),
  },
  'BudgetReachedError of a parked mission': {
    thrown: new BudgetReachedError('mission', 'm', 'parked', -1),
    before: () => redis.redis.hset(redis.keys.spend('mission:m'), 'parked', 'now'),
  },
  BudgetHeldError: { thrown: new BudgetHeldError('day', '', 'held', 1_000) },
  RateLimitedError: { thrown: new RateLimitedError('claude-haiku-5-5', 60_000, '429') },
  ModelCoolingError: { thrown: new ModelCoolingError('claude-haiku-5-5', 60_000, 'cools down') },
  ShardsUsedUpError: { thrown: new ShardsUsedUpError(60_000, 'used up') },
  AwaitsPeersError: { thrown: new AwaitsPeersError(['abc'], Date.now() + 60_000, 'asked its peers') },
  ForOutsideError: { thrown: new ForOutsideError('no worker of the fleet may do it') },
  HeldElsewhereError: {
    thrown: new HeldElsewhereError('o', 'old-1', 60_000, '', 'old-1 has it'),
    before: () => redis.redis.set(redis.keys.oldTask('o', 'claimed'), 'old-1'),
  },
  ProviderUnavailableError: { thrown: new ProviderUnavailableError('claude-haiku-5-5', false, '529') },
  'ProviderUnavailableError after two hours': {
    thrown: new ProviderUnavailableError('claude-haiku-5-5', false, '529'),
    before: (jobId) =>
      redis.redis.hset(redis.keys.turns(jobId), {
        unavailable: 1,
        unavailable_since: Date.now() - TWO_HOURS_MS - 1_000,
      }),
  },
  'TaskFailedError and another model is to try': {
    thrown: new TaskFailedError('schema', 'does not fit'),
    data: { escalate: ['claude-sonnet-5-5'] },
  },
  TaskFailedError: { thrown: new TaskFailedError('refusal', 'declined') },
  InvalidJobError: { thrown: new InvalidJobError('no task') },
  CancelledError: { thrown: new CancelledError('by a person') },
  QuarantinedError: { thrown: new QuarantinedError('its worker died') },
  'anything else': { thrown: new TypeError('a bug') },
};

const rows = table('ARCHITECTURE.md', 'Outcomes').map((row) => row.map(bare));

test('the outcome table has a row for each of these cases, and no other', () => {
  expect(rows.map(([thrown]) => thrown)).toEqual(Object.keys(CASES));
});

test.each(rows)('%s: the job %s', async (thrown = '', ...rest) => {
  const { thrown: error, before, data = {} } = CASES[thrown] ?? expect.fail(`no case for ${thrown}`);
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  const id = await fleet.add('Say hello', data);
  const job = await takeJob(redis, 'tasks', TOKEN);
  await before?.(id);

  const log = createLogger('test', 'silent');
  const outcome = await toOutcome(error, job, TOKEN, {
    ...fleet.inner,
    queue: fleet.queue,
    halt: fleet.halt,
    workerId: 'w',
    log,
  });
  if (outcome instanceof UnrecoverableError) await job.moveToFailed(outcome, TOKEN); // what BullMQ does next

  const halt = await fleet.halt.read();
  const { halts: _halts, ...counters } = await fleet.counters();
  const reason = error instanceof TaskFailedError ? error.reason : null;
  const after = await fleet.bullJob(id);
  expect([
    await describeJob(after, reason),
    halt === null ? '' : `halts: ${halt.reason}`,
    Object.keys(counters).join(', ').replace(`failed_${reason}`, 'failed_<reason>'),
    after.attemptsMade > 0 ? 'yes' : 'no',
  ]).toEqual(rest);
});

/** The outcome as the table spells it. @param taskReason of a failed task: the table names the reasons elsewhere */
async function describeJob(job: Job, taskReason: string | null): Promise<string> {
  const state = await job.getState();
  if (state === 'active') return 'is left alone';
  if (state === 'waiting') return 'back to waiting';
  if (state === 'failed') {
    const word = job.failedReason?.split(':')[0];
    return `failed: ${word === taskReason ? 'its reason' : word}`;
  }
  const isParked = (await redis.redis.hexists(redis.keys.parked, job.id ?? '')) === 1;
  return isParked ? 'parked' : state;
}

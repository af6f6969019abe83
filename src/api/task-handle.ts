import type { Queue } from 'bullmq';
import type { QueueName } from '../../queues/registry.ts';
import { JobFailedError, toMessage, UsageError, WaitTimeoutError } from '../errors.ts';
import { toFindingId } from '../findings/finding.ts';
import { toRedisError } from '../redis/errors/redis-errors.ts';
import type { Db } from '../redis/db.ts';
import type { JobEnds } from '../jobs/state/job-ends.ts';
import { assertOptions, namesOf } from './given/options.ts';
import type { Enqueued, TaskHandle, WaitOptions } from '../tasks/types.ts';
import { readBlocker } from '../jobs/state/blocked.ts';
import { readJob } from '../jobs/state/states.ts';

export interface HandleParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  queueName: QueueName;
  ends: JobEnds;
  /** For messages. */
  redisUrl: string;
}

/** For what adds work. */
export interface AddCheck {
  /**
   * @throws ConfigError where this process wants simulated work and the swarm does real work, or the other way round;
   *   RedisUnusableError where Redis would lose what is added
   */
  assertMayAdd(): Promise<void>;
}

const WAIT_OPTIONS = namesOf<WaitOptions>({ timeoutMs: true, signal: true });
const DEFAULT_TIMEOUT_MS = 10 * 60_000;

/** @param parse parses the finding's result; the caller gets what it throws */
export function createTaskHandle<Result>(
  parts: HandleParts,
  task: Enqueued & { wantedFindingId: string | undefined },
  parse: (value: unknown, findingId: string) => Result,
): TaskHandle<Result> {
  const { id, added, state, wantedFindingId } = task;
  const findingId = toFindingId(id, wantedFindingId);

  async function finding(options: WaitOptions = {}) {
    const timeoutMs = toTimeoutMs(options);
    const { signal } = options;
    const end = await parts.ends.wait(id, { findingId, timeoutMs, ...(signal === undefined ? {} : { signal }) });
    if (end === null) signal?.throwIfAborted();
    switch (end?.state) {
      case 'completed':
        return end.finding;
      case 'failed':
        throw new JobFailedError(id, end.reason);
      case 'missing':
        throw new UsageError(`job ${id}: there is neither a job nor a finding of it`);
      case undefined:
        throw new WaitTimeoutError(
          id,
          `job ${id}: not done after ${timeoutMs} ms (${await describeOpen(parts, id)}); it goes on`,
        );
    }
  }

  return {
    id,
    added,
    state,
    findingId,
    finding,
    result: async (options) => parse((await finding(options)).result, findingId),
  };
}

/** @throws UsageError for a negative timeout */
export function toTimeoutMs(options: WaitOptions): number {
  assertOptions('a wait', options, WAIT_OPTIONS);
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  if (timeoutMs >= 0) return timeoutMs;
  throw new UsageError(`timeoutMs: expected a number of milliseconds, got ${timeoutMs}`);
}

/** Why a task is not done yet: its state, or what holds it up. */
async function describeOpen({ db, queueName, redisUrl }: HandleParts, id: string): Promise<string> {
  try {
    const { state } = await readJob(db, queueName, id);
    const blocker = await readBlocker(db, { queue: queueName, id, state });
    if (blocker?.kind === 'halted') return `${state}; the fleet is halted: ${blocker.halt.reason}`;
    if (blocker?.kind === 'waits-for-budget') return 'parked: budget';
    if (blocker?.kind === 'planned') return `its plan waits for approval: fleet.missions.run(${JSON.stringify(id)})`;
    return blocker?.kind === 'parked' ? 'parked' : state;
  } catch (error) {
    return toMessage(toRedisError(error, redisUrl));
  }
}

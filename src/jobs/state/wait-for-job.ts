import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueName } from '../../../queues/registry.ts';
import { HaltError, JobFailedError, UsageError } from '../../errors.ts';
import type { FindingStore, StoredFinding } from '../../findings/types.ts';
import { describeHalt } from '../../halt/halt.ts';
import { readBlocker, type Blocker } from './blocked.ts';
import type { Db } from '../../redis/db.ts';
import { readJob } from './states.ts';

const FIRST_POLL_MS = 50;
const POLL_MS = 500;

/**
 * Waits for the finding of one task or query, until a person must act first.
 * @throws JobFailedError when it failed, or is parked; HaltError while the fleet is halted; UsageError when
 *   neither job nor finding is there
 */
export async function waitForJob(
  parts: { db: Db; queue: QueueName; findings: FindingStore },
  jobId: string,
  findingId: string,
  onPoll: (state: string, progress: { turn: number; of: number } | null) => void = () => undefined,
): Promise<StoredFinding> {
  const { db, queue, findings } = parts;
  const { redis, keys } = db;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(POLL_MS, pollMs * 1.3)) {
    const job = await readJob(db, queue, jobId);
    const { state } = job;
    onPoll(state, toProgress(await redis.hget(keys.queueKey(queue, jobId), 'progress')));
    if (state === 'completed' || state === 'unknown') {
      const finding = await findings.get(findingId);
      if (finding !== null) return finding;
      throw new UsageError(`job ${jobId}: there is neither a job nor a finding of it`);
    }
    if (job.state === 'failed') throw new JobFailedError(jobId, job.reason);
    const blocker = await readBlocker(db, { queue, id: jobId, state });
    if (blocker !== null) assertGoesOn(jobId, blocker);
    await sleep(pollMs);
  }
}

/** @throws HaltError, JobFailedError where a person must act first */
function assertGoesOn(jobId: string, blocker: Blocker): void {
  switch (blocker.kind) {
    case 'halted':
      throw new HaltError(`the fleet is halted (${describeHalt(blocker.halt)}); job ${jobId} waits`);
    case 'parked':
    case 'waits-for-budget':
      throw new JobFailedError(jobId, `parked: ${blocker.waitsFor}`);
    case 'asks':
    case 'waits-for-provider':
    case 'no-worker': // it may start within the wait; the commands warn of it once
  }
}

/** What the worker reports after each turn; null before the first. */
function toProgress(json: string | null): { turn: number; of: number } | null {
  const value: unknown = json === null ? null : JSON.parse(json);
  if (typeof value !== 'object' || value === null || !('turn' in value) || !('of' in value)) return null;
  return { turn: Number(value.turn), of: Number(value.of) };
}

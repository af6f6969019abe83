import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueName } from '../../../queues/registry.ts';
import { HaltError, JobFailedError, UsageError } from '../../errors.ts';
import type { FindingStore, StoredFinding } from '../../findings/types.ts';
import { describeHalt } from '../../halt/halt.ts';
import { readBlocker, type Blocker } from './blocked.ts';
import type { Db } from '../../redis/db.ts';
import { createPatience } from '../../redis/errors/patience.ts';
import { readJob } from './states.ts';

/** Where a job is that is waited for. */
export interface JobNow {
  state: string;
  /** What its worker reports after each turn; null before the first. */
  turns: { turn: number; of: number } | null;
  /** Why it is delayed, as its log says: the provider, or which budget, what is spent of it and what raises it. Null: it is not. */
  why: string | null;
}

const FIRST_POLL_MS = 50;
const POLL_MS = 500;

/**
 * Waits for the finding of one task or query, through outages of Redis, until a person must act first.
 * @param parts.say takes a line when Redis goes away, and when it is back
 * @throws JobFailedError when it failed, or is parked; HaltError while the fleet is halted; UsageError when
 *   neither job nor finding is there
 */
export async function waitForJob(
  parts: { db: Db; queue: QueueName; findings: FindingStore; say?: (line: string) => void },
  jobId: string,
  findingId: string,
  onPoll: (now: JobNow) => void = () => undefined,
): Promise<StoredFinding> {
  const { db, queue, findings, say = () => undefined } = parts;
  const { redis, keys } = db;
  const patiently = createPatience(say);
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(POLL_MS, pollMs * 1.3)) {
    const finding = await patiently(look);
    if (finding !== null) return finding;
    await sleep(pollMs);
  }

  async function look(): Promise<StoredFinding | null> {
    const job = await readJob(db, queue, jobId);
    const { state } = job;
    const turns = toProgress(await redis.hget(keys.queueKey(queue, jobId), 'progress'));
    if (state === 'completed' || state === 'unknown') {
      const finding = await findings.get(findingId);
      if (finding !== null) return finding;
      throw new UsageError(`job ${jobId}: there is neither a job nor a finding of it`);
    }
    if (job.state === 'failed') throw new JobFailedError(jobId, job.reason);
    const blocker = await readBlocker(db, { queue, id: jobId, state });
    if (blocker !== null) assertGoesOn(jobId, blocker);
    onPoll({ state, turns, why: blocker?.kind === 'waits-for-provider' ? blocker.why : null });
    return null;
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
    case 'planned':
    case 'asks':
    case 'waits-for-provider':
    case 'offered':
    case 'no-worker': // it may start within the wait; the commands warn of it once
  }
}

/** What the worker reports after each turn; null before the first. */
function toProgress(json: string | null): { turn: number; of: number } | null {
  const value: unknown = json === null ? null : JSON.parse(json);
  if (typeof value !== 'object' || value === null || !('turn' in value) || !('of' in value)) return null;
  return { turn: Number(value.turn), of: Number(value.of) };
}

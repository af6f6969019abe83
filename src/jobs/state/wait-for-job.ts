import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { HaltError, JobFailedError, UsageError } from '../../errors.ts';
import type { FindingStore, StoredFinding } from '../../findings/types.ts';
import { parseHalt } from '../../halt/halt.ts';
import { describeParked } from '../outcomes/parked.ts';
import type { Db } from '../../redis/db.ts';
import { readJob } from './states.ts';

const FIRST_POLL_MS = 50;
const POLL_MS = 500;

/**
 * Waits for one task's finding for as long as it takes, and no longer than it can come.
 * @throws JobFailedError when it failed, or is parked; HaltError while the fleet is halted; UsageError when
 *   neither job nor finding is there
 */
export async function waitForJob(
  parts: { db: Db; queue: Queue; findings: FindingStore },
  jobId: string,
  findingId: string,
  onPoll: (state: string, progress: { turn: number; of: number } | null) => void = () => undefined,
): Promise<StoredFinding> {
  const { db, queue, findings } = parts;
  const { redis, keys } = db;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(POLL_MS, pollMs * 1.3)) {
    const job = await readJob(db, queue.name, jobId);
    const { state } = job;
    onPoll(state, toProgress(await redis.hget(keys.queueKey(queue.name, jobId), 'progress')));
    if (state === 'completed' || state === 'unknown') {
      const finding = await findings.get(findingId);
      if (finding !== null) return finding;
      throw new UsageError(`task ${jobId}: there is neither a job nor a finding of it`);
    }
    if (job.state === 'failed') throw new JobFailedError(jobId, job.reason);
    const mark = state === 'delayed' ? await redis.hget(keys.parked, jobId) : null;
    if (mark !== null) throw new JobFailedError(jobId, `parked: ${describeParked(mark)}`);
    const halt = state === 'active' ? null : await redis.get(keys.haltReason); // a running call ends and is stored
    if (halt !== null) {
      const { reason, detail } = parseHalt(halt);
      throw new HaltError(`the fleet is halted (${reason}${detail === '' ? '' : `: ${detail}`}); task ${jobId} waits`);
    }
    await sleep(pollMs);
  }
}

/** What the worker says after each turn; null before the first. */
function toProgress(json: string | null): { turn: number; of: number } | null {
  const value: unknown = json === null ? null : JSON.parse(json);
  if (typeof value !== 'object' || value === null || !('turn' in value) || !('of' in value)) return null;
  return { turn: Number(value.turn), of: Number(value.of) };
}

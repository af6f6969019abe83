import type { QueueEvents, Queue, JobState } from 'bullmq';
import { JobFailedError, UsageError } from '../errors.ts';
import { toFindingId } from '../findings/finding-id.ts';
import type { FindingStore } from '../findings/store.ts';
import type { StoredFinding } from '../findings/stored-finding.ts';

/** One enqueued task, from the enqueuer's side. */
export interface TaskHandle<Result = unknown> {
  id: string;
  /** Key suffix of the finding it will write. */
  findingId: string;
  /** False: a task of this id was there already, in `state`; nothing was added. */
  added: boolean;
  state: JobState | 'unknown';
  /**
   * Waits for the finding.
   * @param options.timeoutMs default 10 minutes
   * @throws JobFailedError when the task fails, UsageError when the time is over (the task goes on)
   */
  finding(options?: { timeoutMs?: number }): Promise<StoredFinding>;
  /** The finding's result; of a typed task parsed by its output schema. Same errors as `finding`. */
  result(options?: { timeoutMs?: number }): Promise<Result>;
}

const DEFAULT_TIMEOUT_MS = 10 * 60_000;

export function createTaskHandle<Result>(parts: {
  id: string;
  added: boolean;
  state: JobState | 'unknown';
  wantedFindingId: string | undefined;
  queue: Queue;
  events: () => Promise<QueueEvents>;
  findings: FindingStore;
  parse: (value: unknown) => Result;
}): TaskHandle<Result> {
  const { id, added, state, queue, events, findings, parse } = parts;
  const findingId = toFindingId(id, parts.wantedFindingId);

  async function finding({ timeoutMs = DEFAULT_TIMEOUT_MS }: { timeoutMs?: number } = {}): Promise<StoredFinding> {
    const listener = await events(); // before looking: what ends in between is heard
    const job = await queue.getJob(id);
    if (job !== undefined) {
      try {
        await job.waitUntilFinished(listener, timeoutMs);
      } catch (error) {
        throw await toEnd(error, timeoutMs);
      }
    }
    const found = await findings.get(findingId);
    if (found === null) throw new UsageError(`task ${id}: there is neither a job nor a finding of it`);
    return found;
  }

  async function toEnd(error: unknown, timeoutMs: number): Promise<unknown> {
    const job = await queue.getJob(id);
    if (job !== undefined && (await job.isFailed()))
      return new JobFailedError(id, job.failedReason ?? 'unknown', { cause: error });
    if (error instanceof Error && error.message.includes('timed out')) {
      return new UsageError(`task ${id}: not done after ${timeoutMs} ms; it goes on`, { cause: error });
    }
    return error;
  }

  return {
    id,
    findingId,
    added,
    state,
    finding,
    async result(options) {
      return parse((await finding(options)).result);
    },
  };
}

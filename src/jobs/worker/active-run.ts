import type { Job } from 'bullmq';
import { TaskFailedError } from '../../errors.ts';
import type { HeldJob } from './locks.ts';

/** One run of one job in this process. A job can have two for a moment, when this process lost it and got it again. */
export interface ActiveRun extends HeldJob {
  job: Job;
  /** Fires with the error to end with. */
  signal: AbortSignal;
  /** Ends the run with this error at its next line; the first reason counts. */
  stop(error: Error): void;
  /** The run's time is counted from here. */
  startClock(timeoutMs: number): void;
  /** Resolves when the run is over. */
  over: Promise<void>;
  end(): void;
}

/** How long a run may take, ms: as long as its queue allows, but room for two of the longest calls: the first may time out. */
export function toRunMs(queueMs: number, callTimeoutMs: number): number {
  return Math.max(queueMs, 2 * callTimeoutMs);
}

export function createActiveRun(job: Job, token: string): ActiveRun {
  const controller = new AbortController();
  let deadline: NodeJS.Timeout | undefined;
  let finish: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return {
    job,
    jobId: job.id ?? '',
    token,
    signal: controller.signal,
    stop: (error) => controller.abort(error),
    startClock(timeoutMs) {
      deadline = setTimeout(() => {
        controller.abort(new TaskFailedError('deadline', `not done after ${Math.round(timeoutMs / 60_000)} minutes`));
      }, timeoutMs);
    },
    over,
    end() {
      clearTimeout(deadline);
      finish();
    },
  };
}

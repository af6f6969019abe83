import type { Db } from '../redis/db.ts';
import { findJob } from './find-job.ts';
import { followTimeline } from './follow-timeline.ts';
import { lookAtJob } from './read-job.ts';
import type { JobReport, TimelineOptions } from './types.ts';

/**
 * Reads one job, for scripts.
 * @param options.closing ends what follows it; `check`: refuses wrong options of a timeline
 * @throws NotFoundError
 */
export async function readJobReport(
  db: Db,
  id: string,
  { closing, check }: { closing: AbortSignal; check(options: TimelineOptions): void },
): Promise<JobReport> {
  const job = await findJob(db, id);
  const { details } = await lookAtJob(db, job);
  return {
    ...details,
    timeline(options = {}) {
      check(options);
      const { follow = false, signal } = options;
      const until = signal === undefined ? closing : AbortSignal.any([closing, signal]);
      return followTimeline(db, job, { follow, signal: until });
    },
  };
}

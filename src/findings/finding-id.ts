import { hash } from 'node:crypto';

/** The id of a job's finding, from the job's id alone: a job that runs twice can still write only one finding. */
export function toFindingId(jobId: string, wanted?: string): string {
  return wanted ?? `finding_${hash('sha256', jobId).slice(0, 16)}`;
}

import type { Finding } from '../../../src/findings/finding.ts';

/** A finding of a task, as far as the scripts that store it look at it. */
export function toTestFinding(id: string, more: Partial<Finding> = {}): Finding {
  const at = '2026-11-20T10:00:00.000Z';
  const fields = {
    finding_id: id,
    at,
    session: 'today',
    batch: null,
    result: `result of ${id}`,
    topics: ['t'],
    status: 'done',
    citations: [],
  };
  return { ...fields, job_id: 'job-1', kind: 'other', ...more } as unknown as Finding;
}

import { countToolErrors, isPartial } from '../../src/findings/marks.ts';
import { toSummary } from '../../src/findings/stored.ts';
import type { StoredFinding } from '../../src/findings/types.ts';
import { startOf } from '../../src/text/start-of.ts';

/** Most UTF-16 code units of a task's first line. */
const MOST_OF_TASK = 200;

/** A finding as lists of pages show it. */
export function toFindingRow(finding: StoredFinding) {
  const {
    finding_id: id,
    at,
    kind = null,
    cost = null,
    worker_id: workerId = null,
    job_id: jobId = null,
    model = null,
  } = finding;
  return {
    id,
    at,
    kind,
    costUsd: finding.unmetered === undefined ? cost : null,
    isFreeLocal: finding.free_local === true,
    workerId,
    jobId,
    model,
    session: finding.session ?? null,
    status: finding.status ?? null,
    isPartial: isPartial(finding),
    toolErrors: countToolErrors(finding),
    task: toFirstLine(finding.task),
    summary: toSummary(finding),
    patchState: typeof finding.patch?.state === 'string' ? finding.patch.state : null,
  };
}

/** Null: another program stored the finding, without its task. */
function toFirstLine(task: string | undefined): string | null {
  const line = task
    ?.split('\n')
    .map((text) => text.trim())
    .find((text) => text !== '');
  return line === undefined ? null : startOf(line, MOST_OF_TASK);
}

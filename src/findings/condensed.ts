import { toOwner } from '../../queues/owner.ts';
import { readFindingJson } from './read-json.ts';
import { readOriginals, toStoredText } from './stored.ts';
import type { Db } from '../redis/db.ts';
import type { StoredFinding } from './types.ts';
import { stringifyExact } from '../text/exact-json.ts';

/** Result and status of every condensed finding. */
const CONDENSED = 'condensed';

/**
 * What `finding:<id>` holds once a summary has taken the finding's place: the nine fields of the contract with older
 * programs, and session, batch, mission, client and shard. `job_id` keeps a job that runs again from storing the finding anew.
 */
export function toCondensed(finding: StoredFinding, summaryId: string): object {
  return {
    finding_id: finding.finding_id,
    worker_id: finding.worker_id ?? '',
    timestamp: finding.timestamp ?? '',
    task: finding.task ?? '',
    result: CONDENSED,
    files_changed: finding.files_changed,
    citations: finding.citations,
    tokens_used: finding.tokens_used ?? 0,
    cost: finding.cost ?? 0,
    summary_id: summaryId,
    at: finding.at,
    ...(finding.session === undefined ? {} : { session: finding.session }),
    ...(finding.batch === undefined ? {} : { batch: finding.batch }),
    ...(finding.mission_id === undefined ? {} : { mission_id: finding.mission_id }),
    ...toOwner(finding),
    ...(finding.job_id === undefined ? {} : { job_id: finding.job_id }),
    status: CONDENSED,
  };
}

/** Whether a summary took the finding's place. */
export function isCondensed(finding: StoredFinding): boolean {
  return finding.result === CONDENSED && 'summary_id' in finding;
}

/** Id of the summary that took the finding's place; null for a finding that is not condensed. */
export function toSummaryId(text: string): string | null {
  if (!text.includes('"summary_id"') || !text.includes(CONDENSED)) return null;
  const value = readFindingJson(text);
  return value?.['result'] === CONDENSED && typeof value['summary_id'] === 'string' ? value['summary_id'] : null;
}

/**
 * Replaces condensed findings by their originals, marked `status: "condensed"` with their `summary_id` and `original_status`.
 * @param texts what is stored under these ids; the other texts come back unchanged
 */
export async function withOriginals(
  db: Db,
  ids: readonly string[],
  texts: readonly (string | null)[],
): Promise<(string | null)[]> {
  const condensed = texts.flatMap((text, index) => {
    const summaryId = text === null ? null : toSummaryId(text);
    return summaryId === null ? [] : [{ index, id: ids[index] ?? '', summaryId }];
  });
  if (condensed.length === 0) return [...texts];
  const values = await readOriginals(
    db,
    condensed.map(({ id }) => id),
  );
  const whole = [...texts];
  for (const [i, { index, summaryId }] of condensed.entries()) {
    const value = values[i] ?? null; // null: live again meanwhile, or removed; then the condensed text is all there is
    const original = value === null ? null : readFindingJson(db.redact(toStoredText(value)));
    if (original === null) continue;
    const { status } = original;
    whole[index] = stringifyExact({
      ...original,
      status: CONDENSED,
      summary_id: summaryId,
      ...(typeof status === 'string' ? { original_status: status } : {}),
    });
  }
  return whole;
}

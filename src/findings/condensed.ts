import { readOriginals, toStoredText } from './stored.ts';
import type { Db } from '../redis/db.ts';
import type { StoredFinding } from './types.ts';

/** The result of every stub. */
const CONDENSED = 'condensed';

/**
 * What stays under the id of a finding that a summary stands for: the nine fields of the contract with older programs, and
 * what tells whose it is. `job_id` keeps a job that runs again from writing it anew.
 */
export function toStub(finding: StoredFinding, summaryId: string): object {
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
    ...(finding.job_id === undefined ? {} : { job_id: finding.job_id }),
    status: CONDENSED,
  };
}

/** Id of the finding that sums this one up; null for what is no stub. */
export function toSummaryId(text: string): string | null {
  if (!text.includes('"summary_id"') || !text.includes(CONDENSED)) return null;
  const value = toObject(text);
  return value?.['result'] === CONDENSED && typeof value['summary_id'] === 'string' ? value['summary_id'] : null;
}

/**
 * Puts the originals in the place of stubs, marked `status: "condensed"` with their `summary_id`.
 * @param texts what stands under these ids; the rest comes back as it is
 */
export async function withOriginals(
  db: Db,
  ids: readonly string[],
  texts: readonly (string | null)[],
): Promise<(string | null)[]> {
  const stubs = texts.flatMap((text, at) => {
    const summaryId = text === null ? null : toSummaryId(text);
    return summaryId === null ? [] : [{ at, id: ids[at] ?? '', summaryId }];
  });
  if (stubs.length === 0) return [...texts];
  const values = await readOriginals(
    db,
    stubs.map(({ id }) => id),
  );
  const whole = [...texts];
  for (const [place, { at, summaryId }] of stubs.entries()) {
    const value = values[place] ?? null; // null: made live again meanwhile, or gone; the stub says what there is to say
    const original = value === null ? null : toObject(toStoredText(value));
    if (original !== null) whole[at] = JSON.stringify({ ...original, status: CONDENSED, summary_id: summaryId });
  }
  return whole;
}

function toObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

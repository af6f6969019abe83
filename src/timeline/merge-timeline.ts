import type { StoredFinding } from '../findings/types.ts';
import type { RunEntry } from '../run-record/types.ts';

/** When BullMQ saw a job, ms since 1970; null: it did not. */
export interface JobTimes {
  queuedAt: number | null;
  /** The last time that a worker took it. */
  takenAt: number | null;
  endedAt: number | null;
}

/** What is stored elsewhere, and what a worker notes of the same, are at most so far apart, ms. */
export const NOTED_WITHIN_MS = 2_000;

/**
 * Adds to what the runs noted what only BullMQ and the finding tell: when the job was added, by whom it is held now, and how it ended.
 * Nothing is told twice.
 */
export function mergeTimeline({
  entries,
  times: { queuedAt, takenAt, endedAt },
  worker,
  failure,
  finding,
  open,
}: {
  entries: readonly RunEntry[];
  times: JobTimes;
  worker: string | null;
  failure: { reason: string; text: string } | null;
  finding: StoredFinding | null;
  /** The call that is under way. */
  open: RunEntry | null;
}): RunEntry[] {
  const all: RunEntry[] = entries.flatMap((entry, i) => toBeginAndEnd(entry, entries[i - 1]?.at ?? 0));
  if (open !== null) all.push(open);
  if (takenAt !== null && !isNoted(entries, takenAt))
    all.push({ at: takenAt, kind: 'taken', by: worker ?? 'a worker' });
  const foundAt = finding === null ? 0 : Date.parse(finding.at);
  if (finding !== null && foundAt > 0) all.push({ at: foundAt, kind: 'finding', id: finding.finding_id });
  const isTold = finding !== null || entries.at(-1)?.kind === 'failed';
  if (endedAt !== null && !isTold) {
    all.push({ at: endedAt, kind: 'ended', reason: failure === null ? null : `${failure.reason}: ${failure.text}` });
  }
  all.sort((a, b) => a.at - b.at);
  if (queuedAt !== null) all.unshift({ at: queuedAt, kind: 'queued' }); // by another process: its time may be some ms off
  return all;
}

/** A call's entry tells of its reservation, too. @param after when the entry before it was noted: no call begins earlier */
function toBeginAndEnd(entry: RunEntry, after: number): RunEntry[] {
  if (entry.kind !== 'call') return [entry];
  const { at, ms, turn, held: nanoUsd } = entry;
  return [{ at: Math.max(after, at - ms), kind: 'reserved', turn, nanoUsd }, entry];
}

/** Whether a worker has noted that it took the job at this time, by BullMQ. */
export function isNoted(entries: readonly RunEntry[], takenAt: number): boolean {
  return entries.some(({ kind, at }) => kind === 'taken' && at >= takenAt - NOTED_WITHIN_MS);
}

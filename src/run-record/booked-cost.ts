import { parseRecord } from '../redis/stored-record.ts';
import type { RunEntry } from './types.ts';

/** What a job's calls have cost, nano-dollars, as its turns hold it. @param totals JSON. @returns null: they hold nothing */
export function toBookedCost(totals: string | null): number | null {
  const booked: unknown = Reflect.get(parseRecord(totals) ?? {}, 'nanoUsd');
  return typeof booked === 'number' ? booked : null;
}

/** The same as the job's record has it, where the turns have expired. @returns null: it names no call */
export function toRecordedCost(entries: readonly RunEntry[]): number | null {
  const calls = entries.flatMap((entry) => (entry.kind === 'call' ? [entry.nanoUsd ?? 0] : []));
  return calls.length === 0 ? null : calls.reduce((sum, nano) => sum + nano, 0);
}

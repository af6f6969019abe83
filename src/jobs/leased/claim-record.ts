import { hash } from 'node:crypto';
import { z } from 'zod';
import { parseRecord } from '../../redis/stored-record.ts';

/** What a job's hash holds of the last outside worker that claimed it, in the field `outside`. `claim-task.lua` writes it. */
const claimSchema = z.object({
  by: z.string().catch('an outside worker'),
  /** sha1 of its lease. */
  lease: z.string().catch(''),
  claimed_at: z.number().catch(0),
});

export type ClaimRecord = z.output<typeof claimSchema>;

/** A damaged or missing record has no fields. */
export function parseClaim(text: string | null): ClaimRecord {
  return claimSchema.parse(parseRecord(text) ?? {});
}

/** Whether the record is of this lease. */
export function isOfLease(record: ClaimRecord, lease: string): boolean {
  return record.lease === hash('sha1', lease);
}

import { hash } from 'node:crypto';
import { z } from 'zod';

/**
 * What is stored under `finding:<id>`. The first nine fields are the contract with older programs and are always
 * written; reading demands none of them (see `parseFinding`).
 */
const findingSchema = z.object({
  finding_id: z.string(),
  worker_id: z.string(),
  timestamp: z.string(), // local time, ISO 8601 without zone, microseconds
  task: z.string(),
  result: z.json(),
  files_changed: z.array(z.string()),
  citations: z.array(z.string()),
  tokens_used: z.number(),
  cost: z.number(), // US dollars, six decimals
  at: z.string(), // UTC instant; the fleet sorts by it
  summary: z.string(),
  session: z.string(),
  batch: z.string().nullable(),
  mission_id: z.string().nullable(),
  job_id: z.string(),
  model: z.string(),
  vendor: z.string(),
  prompt_version: z.string(),
  kind: z.string(),
  changes: z.array(z.object({ path: z.string(), added: z.int(), removed: z.int(), lines: z.string() })),
  topics: z.array(z.string()),
  status: z.string(),
  usage: z.object({ input: z.int(), cache_write: z.int(), cache_read: z.int(), output: z.int() }),
  recovered: z.int(), // turns replayed from the response ledger instead of paid again
});

export type Finding = z.output<typeof findingSchema>;

/** Kind of the finding that says which shards worked before a paper. A note of the fleet's own: no evidence, no source. */
export const SHARD_TEST_KIND = 'shard-test';

/** The id of a job's finding, from the job's id alone: a job that runs twice can still write only one finding. */
export function toFindingId(jobId: string, wanted?: string): string {
  return wanted ?? `finding_${hash('sha256', jobId).slice(0, 16)}`;
}

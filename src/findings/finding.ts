import { hash } from 'node:crypto';
import type { z } from 'zod';
import type { Usage } from '../../queues/usage.ts';

/**
 * What is stored under `finding:<id>`. The first nine fields are the contract with older programs and are always
 * written; reading demands none of them (see `parseFinding`).
 */
export interface Finding {
  finding_id: string;
  worker_id: string;
  /** Local time, ISO 8601 without zone, microseconds. */
  timestamp: string;
  task: string;
  result: z.output<z.ZodJSONSchema>;
  files_changed: string[];
  citations: string[];
  tokens_used: number;
  /** US dollars, six decimals. */
  cost: number;
  /** UTC instant; the fleet sorts by it. */
  at: string;
  /** At most 200 characters, on one line. */
  summary: string;
  session: string;
  batch: string | null;
  mission_id: string | null;
  job_id: string;
  model: string;
  vendor: string;
  prompt_version: string;
  kind: string;
  changes: FindingChange[];
  topics: string[];
  status: string;
  usage: Usage;
  /** Turns replayed from the response ledger instead of paid again. */
  recovered: number;
}

/** One file that a task changed. */
interface FindingChange {
  path: string;
  /** Count of lines. */
  added: number;
  /** Count of lines. */
  removed: number;
  lines: string;
}

/** Kind of the finding that reports which shards worked before a paper. A note of the fleet's own: no evidence, no source. */
export const SHARD_TEST_KIND = 'shard-test';

/** The id of a job's finding, from the job's id alone: a job that runs twice can still write only one finding. */
export function toFindingId(jobId: string, wanted?: string): string {
  return wanted ?? `finding_${hash('sha256', jobId).slice(0, 16)}`;
}

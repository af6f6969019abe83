import { z } from 'zod';
import { defineQueue } from './define.ts';
import { idSchema } from './ids.ts';

/** Which findings a question is answered from; what is left out lets every finding through. All that is given must fit. */
const archiveFilterSchema = z.strictObject({
  session: z.string().min(1).max(200).optional(),
  mission_id: z.string().min(1).max(200).optional(),
  batch: z.string().min(1).max(200).optional(),
  topic: z.string().min(1).max(200).optional(),
  since: z.iso.datetime({ offset: true }).optional(), // findings of this instant and later
});

/** What a caller may ask. The filter says what the answer is drawn from; `mission_id` and `batch` say who pays for it. */
const archiveInputSchema = z.strictObject({
  question: z.string().regex(/\S/, 'expected words, got none').max(20_000), // UTF-16 code units, not tokens
  requester: z.string().max(200).optional(),
  filter: archiveFilterSchema.optional(),
  mission_id: idSchema.optional(),
  batch: z.string().min(1).max(200).optional(),
  allow_fallback: z.boolean().optional(), // default true: another vendor's model may answer when all shards are used up
  // A paper's question: a shard that fails makes it fail, instead of the next shard being asked. `exclude`: shards a person goes on without.
  paper: z.strictObject({ exclude: z.array(z.int().min(1)).max(100).optional() }).optional(),
});

/** Questions to the archive. Added by: scripts, the command line, workers, the coordinator. Worked by: workers/librarian. */
export const archiveQueue = defineQueue({
  name: 'archive',
  jobName: 'query',
  input: archiveInputSchema,
  data: z.object({
    ...archiveInputSchema.shape,
    session: z.string().optional(), // stamped when enqueued
    query_id: z.string().optional(),
    finding_id: z.string().optional(), // the answer's: `archive_<query_id>`
    shard_failure: z.object({ shard: z.int(), count: z.int() }).optional(), // of a paper's question: which shard is tried again, and how often it failed
    public: z.boolean().optional(), // asked through `query:archive:<id>`: answered in `response:archive:<id>` too
  }),
  result: z.object({ findingId: z.string(), costNanoUsd: z.int() }),
  attempts: 1,
  timeoutMs: 15 * 60_000,
  keep: { completed: { age: 24 * 3600, count: 5_000 }, failed: { age: 30 * 24 * 3600, count: 100_000 } },
});

export type ArchiveFilter = z.output<typeof archiveFilterSchema>;
export type ArchiveInput = z.input<typeof archiveInputSchema>;
export type ArchiveQuery = z.output<typeof archiveQueue.data>;

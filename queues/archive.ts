import { z } from 'zod';
import { defineQueue } from './define.ts';
import { idSchema } from './tasks.ts';

const archiveInputSchema = z.strictObject({
  question: z.string().min(1).max(20_000),
  requester: z.string().max(200).optional(),
  mission_id: idSchema.optional(),
  batch: z.string().optional(),
  topic: z.string().optional(),
  since: z.iso.datetime({ offset: true }).optional(),
});

/** Questions to the archive. Added by: scripts, the command line, workers, the coordinator. Worked by: workers/librarian. */
export const archiveQueue = defineQueue({
  name: 'archive',
  jobName: 'query',
  input: archiveInputSchema,
  data: z.object({ ...archiveInputSchema.shape, session: z.string().optional() }),
  result: z.object({ findingId: z.string(), costNanoUsd: z.int() }),
  attempts: 1,
  timeoutMs: 15 * 60_000,
  keep: { completed: { age: 24 * 3600, count: 5_000 }, failed: { age: 30 * 24 * 3600, count: 100_000 } },
});

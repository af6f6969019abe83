import { z } from 'zod';
import { defineQueue } from './define.ts';

const missionInputSchema = z.strictObject({
  goal: z.string().min(1).max(50_000),
  workspace: z.string().optional(),
  topics: z.array(z.string()).optional(),
  budget_usd: z.number().positive().optional(),
});

/** Goals for the coordinator. Added by: scripts, the command line. Worked by: workers/coordinator. */
export const missionsQueue = defineQueue({
  name: 'missions',
  jobName: 'mission',
  input: missionInputSchema,
  data: z.object({ ...missionInputSchema.shape, session: z.string().optional() }),
  result: z.object({ findingId: z.string(), costNanoUsd: z.int() }),
  attempts: 1,
  timeoutMs: 24 * 60 * 60_000,
  keep: { completed: { age: 7 * 24 * 3600, count: 1_000 }, failed: { age: 30 * 24 * 3600, count: 10_000 } },
});

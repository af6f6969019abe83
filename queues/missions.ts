import { z } from 'zod';
import { defineQueue } from './define.ts';

/** What a caller may ask the coordinator for. Strict, like every input. */
const missionInputSchema = z.strictObject({
  goal: z.string().trim().min(1).max(50_000), // UTF-16 code units, not tokens
  workspace: z.string().min(1).max(100).optional(), // a name of FLEET_WORKSPACES; its tasks work there
  topics: z.array(z.string().min(1).max(100)).max(50).optional(),
  budget_usd: z.number().positive('expected dollars above 0').max(1_000_000).optional(), // of the whole tree: plan, tasks, questions, synthesis
  quorum: z.number().min(0).max(1).optional(), // share of the tasks that must be done; default 0.8
  max_tasks: z.int().min(1).max(5_000).optional(), // default 5,000
  dry_run: z.boolean().optional(), // makes the plan, and no task of it
  // A document instead of a synthesis. accept_shards: go on with at least 80 % of them working; session: only from its findings.
  paper: z
    .strictObject({ accept_shards: z.boolean().optional(), session: z.string().min(1).max(200).optional() })
    .optional(),
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

export type MissionInput = z.input<typeof missionInputSchema>;
export type MissionData = z.output<typeof missionsQueue.data>;

import { z } from 'zod';
import { defineQueue } from './define.ts';
import { idSchema } from './ids.ts';
import { TASK_KINDS } from './kinds.ts';

/** UTF-16 code units, not tokens. */
export const TASK_LIMITS = { description: 200_000, file: 4_096 } as const;

const nameSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\s:{}]+$/, 'no white space, colon or brace');

/** What a caller may ask for. Strict: an unknown key is an error, so that a typo never becomes a silent default. */
export const taskInputSchema = z.strictObject({
  description: z.string().regex(/\S/, 'expected words, got none').max(TASK_LIMITS.description),
  kind: z.enum(TASK_KINDS).optional(),
  data: z.json().optional(), // any JSON the task needs
  files: z.array(z.string().min(1).max(TASK_LIMITS.file)).max(1_000).optional(), // what the task is about, relative to the workspace; no permission, nothing preloaded
  workspace: nameSchema.optional(), // a name of FLEET_WORKSPACES, never a path
  contexts: z.array(nameSchema).max(20).optional(), // memory contexts, sent as cached blocks
  topics: z.array(z.string().min(1).max(100)).max(50).optional(),
  model: z.string().min(1).max(100).optional(), // default: FLEET_HAIKU_MODEL
  schema: z.record(z.string(), z.json()).optional(), // JSON Schema of the result
  finding_id: idSchema.optional(),
  budget_usd: z.number().positive('expected dollars above 0').max(1_000_000).optional(), // of this task alone; reaching it parks the job
  max_turns: z.int().min(1).max(200).optional(),
});

/** Small jobs for the cheap model. Added by: scripts, the command line, the coordinator. Worked by: workers/haiku. */
export const tasksQueue = defineQueue({
  name: 'tasks',
  jobName: 'task',
  input: taskInputSchema,
  data: z.object({
    ...taskInputSchema.shape,
    session: z.string().optional(), // stamped when enqueued
    batch: z.string().nullish(),
    mission_id: z.string().nullish(),
    line: z.int().nullish(), // 1-based line of the batch file
  }),
  result: z.object({ findingId: z.string(), costNanoUsd: z.int() }),
  attempts: 1,
  timeoutMs: 60 * 60_000,
  keep: { completed: { age: 24 * 3600, count: 5_000 }, failed: { age: 30 * 24 * 3600, count: 100_000 } },
});

export type TaskInput = z.input<typeof taskInputSchema>;
export type TaskData = z.output<typeof tasksQueue.data>;
export type TaskResult = z.output<typeof tasksQueue.result>;

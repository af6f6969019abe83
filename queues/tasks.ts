import { z } from 'zod';
import { defineQueue } from './define.ts';
import { EFFORTS } from './effort.ts';
import { idSchema } from './ids.ts';
import { BUILT_INS, TASK_KINDS } from './kinds.ts';

/** Longest description, and longest path of a file. UTF-16 code units, not tokens. */
export const TASK_LIMITS = { description: 200_000, file: 4_096 } as const;

const nameSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\s:{}]+$/, 'no white space, colon or brace');

/**
 * A task as a caller gives it. It is written out because editors show no comments of a schema's fields. A unit test checks
 * that it equals `taskInputSchema`.
 */
export interface TaskInput {
  /** What the worker is to do. At most 200,000 UTF-16 code units; not only white space. */
  description: string;
  /** What the task is mainly about, for statistics and forecasts. It changes no permission. Default `other`. */
  kind?: (typeof TASK_KINDS)[number];
  /** Any JSON that the task needs. The prompt holds it, with the numbers of a file or command line as written. Default: none. */
  data?: z.input<z.ZodJSONSchema>;
  /**
   * Paths of the files that the task is about, relative to the workspace: at most 1,000, each at most 4,096 UTF-16 code
   * units long. The prompt lists the paths; the small files, at most 40 kB in all, come with it. A file whose name is guarded (`.env`, keys) can be opened
   * only if it is listed here. Default: none.
   */
  files?: string[];
  /** A name of `FLEET_WORKSPACES`, never a path. Default: none; the task then has no tool that opens files. */
  workspace?: string;
  /** Names of memory contexts, at most 20. Each is a cached block of the prompt. Default: none. */
  contexts?: string[];
  /** Topics of the finding, for filters: at most 50, each at most 100 UTF-16 code units long. Default: none. */
  topics?: string[];
  /** Id of one of Anthropic's models. Default `FLEET_HAIKU_MODEL`. */
  model?: string;
  /** JSON Schema that the result must fit, unless the finding is partial. The model may repair a result once. Default: none; any result is accepted. */
  schema?: Record<string, z.input<z.ZodJSONSchema>>;
  /** Id of the finding. A taken id is refused. Default: `finding_` and a hash of the job's id. */
  finding_id?: string;
  /** Budget of this task alone, US dollars: above 0, at most 1,000,000. Reaching it parks the task. Default: none. */
  budget_usd?: number;
  /** Most model calls: 1 to 200. Default 30. */
  max_turns?: number;
  /** How much the model thinks. Default: for `FLEET_HAIKU_MODEL` `FLEET_HAIKU_EFFORT`; else the provider's own. */
  effort?: (typeof EFFORTS)[number];
  /**
   * Whether the task, once it writes, gets a working tree of its own, if its workspace is a git repository. A person applies
   * or discards what it changed there. False: it works in the shared tree. Default true.
   */
  isolate?: boolean;
  /**
   * Work that a worker does without a model, so that it costs nothing. `survey` lists the files of the workspace with their
   * sizes in bytes: `{ total, files: [{ path, bytes }] }`. A worker of an older version gives the task to its model instead.
   * Default: none.
   */
  built_in?: (typeof BUILT_INS)[number];
}

/** Strict: an unknown key is an error, so that a typo never becomes a silent default. */
export const taskInputSchema = z.strictObject({
  description: z.string().regex(/\S/, 'expected words, got none').max(TASK_LIMITS.description),
  kind: z.enum(TASK_KINDS).optional(),
  data: z.json().optional(),
  files: z.array(z.string().min(1).max(TASK_LIMITS.file)).max(1_000).optional(),
  workspace: nameSchema.optional(),
  contexts: z.array(nameSchema).max(20).optional(),
  topics: z.array(z.string().min(1).max(100)).max(50).optional(),
  model: z.string().min(1).max(100).optional(),
  schema: z.record(z.string(), z.json()).optional(),
  finding_id: idSchema.optional(),
  budget_usd: z.number().positive('expected dollars above 0').max(1_000_000).optional(),
  max_turns: z.int().min(1).max(200).optional(),
  effort: z.enum(EFFORTS).optional(),
  isolate: z.boolean().optional(),
  built_in: z.enum(BUILT_INS).optional(),
});

/** Small jobs for the cheap model. Added by: scripts, the command line, the coordinator. Worked by: workers/haiku. */
export const tasksQueue = defineQueue({
  name: 'tasks',
  jobName: 'task',
  input: taskInputSchema,
  data: z.object({
    ...taskInputSchema.shape,
    /** The session in which the task was enqueued. The fleet stamps it, and the next four. */
    session: z.string().optional(),
    batch: z.string().nullish(),
    mission_id: z.string().nullish(),
    /** Finding ids of the tasks whose patches this one begins with, in the order in which they apply. */
    builds_on: z.array(z.string()).optional(),
    /** Line of the batch's file, from 1. */
    line: z.int().nullish(),
    /** JSON of `data`, where it holds numbers that JavaScript's would change. */
    data_text: z.string().optional(),
  }),
  result: z.object({ findingId: z.string(), costNanoUsd: z.int() }),
  attempts: 1,
  timeoutMs: 60 * 60_000,
  keep: { completed: { age: 24 * 3600, count: 5_000 }, failed: { age: 30 * 24 * 3600, count: 100_000 } },
});

export type TaskData = z.output<typeof tasksQueue.data>;
export type TaskResult = z.output<typeof tasksQueue.result>;

import { z } from 'zod';
import { assistStampSchema } from './assist.ts';
import { bridgeStampSchema } from './bridge.ts';
import { defineQueue } from './define.ts';
import { EFFORTS } from './effort.ts';
import { idSchema } from './ids.ts';
import { BUILT_INS, TASK_FOR, TASK_KINDS } from './kinds.ts';
import { originStampSchema } from './origin.ts';
import { budgetUsdSchema, clientStampSchema, shardNameSchema } from './owner.ts';

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
  /** Id of a model, which alone does the task. Default: what the routes of `models.json` choose; without one `FLEET_HAIKU_MODEL`. */
  model?: string;
  /**
   * Models that try the task again from the beginning, one after the other, when it fails with `schema`, `step-limit` or
   * `handed-back`: at most 5. What the failed try cost is rework, and all tries share the task's budget. Default: none.
   */
  escalate?: string[];
  /** JSON Schema that the result must fit, unless the finding is partial. The model may repair a result once. Default: none; any result is accepted. */
  schema?: Record<string, z.input<z.ZodJSONSchema>>;
  /** Id of the finding. A taken id is refused. Default: `finding_` and a hash of the job's id. */
  finding_id?: string;
  /** Budget of this task alone, US dollars: 0.000000001 to 1,000,000. Reaching it parks the task. Default: none. */
  budget_usd?: number;
  /** `cheap`: the task takes routes of `models.json` with `"budget": "cheap"`. Default: only if `budget_usd` is below the worst case of one call. */
  budget?: 'cheap';
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
  /** Memory shard that the task and its finding belong to: at most 100 characters, no white space, colon or brace. Default: none. */
  shard?: string;
  /**
   * Who may take the task: the fleet's workers; `outside`: only agents and programs that claim it (`fleet claim`); `any`: for
   * 30 s only these, then both. Default `fleet`.
   */
  for?: (typeof TASK_FOR)[number];
}

const TURNS_RULE = 'expected a whole number, 1..200';

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
  escalate: z.array(z.string().min(1).max(100)).max(5).optional(),
  schema: z.record(z.string(), z.json()).optional(),
  finding_id: idSchema.optional(),
  budget_usd: budgetUsdSchema.optional(),
  budget: z.literal('cheap').optional(),
  max_turns: z.int(TURNS_RULE).min(1, TURNS_RULE).max(200, TURNS_RULE).optional(),
  effort: z.enum(EFFORTS).optional(),
  isolate: z.boolean().optional(),
  built_in: z.enum(BUILT_INS).optional(),
  shard: shardNameSchema.optional(),
  for: z.enum(TASK_FOR).optional(),
});

/** Small jobs for the cheap model. Added by: scripts, the command line, the coordinator. Worked by: workers/haiku. */
export const tasksQueue = defineQueue({
  name: 'tasks',
  jobName: 'task',
  input: taskInputSchema,
  data: z.object({
    ...taskInputSchema.shape,
    /** The session in which the task was enqueued. The fleet stamps it, and the next five. */
    session: z.string().optional(),
    /** Name of the client that pays. Absent: no client. */
    client: clientStampSchema,
    batch: z.string().nullish(),
    mission_id: z.string().nullish(),
    /** Finding ids of the tasks whose patches this one begins with, in the order in which they apply. */
    builds_on: z.array(z.string()).optional(),
    /** Line of the batch's file, from 1. */
    line: z.int().nullish(),
    /** Of a task that came through the bridge. Absent: none did. */
    bridge: bridgeStampSchema,
    /** Rules and findings that started it. Absent: no rule did. The fleet stamps it. */
    origin: originStampSchema,
    /** JSON of `data`, where it holds numbers that JavaScript's would change. */
    data_text: z.string().optional(),
    /** Of an assist task: the task that asked for it. Absent: it is none. */
    assist: assistStampSchema,
    /** Vendors that may see it, besides what its workspace says: those of the findings that it stems from. Absent: all. */
    vendors: z.array(z.string()).optional(),
    /** The models that have tried it before `model`, and why they do no more, the first first. */
    escalated: z.array(z.object({ from: z.string(), to: z.string(), why: z.string() })).optional(),
  }),
  result: z.object({ findingId: z.string(), costNanoUsd: z.int() }),
  attempts: 1,
  timeoutMs: 60 * 60_000,
  keep: { completed: { age: 24 * 3600, count: 5_000 }, failed: { age: 30 * 24 * 3600, count: 100_000 } },
});

export type TaskData = z.output<typeof tasksQueue.data>;
export type TaskResult = z.output<typeof tasksQueue.result>;

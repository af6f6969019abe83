import { z } from 'zod';
import { defineQueue } from './define.ts';
import { TASK_FOR } from './kinds.ts';
import { budgetUsdSchema, clientStampSchema, shardNameSchema } from './owner.ts';

/**
 * A mission as a caller gives it. It is written out because editors show no comments of a schema's fields. A unit test
 * checks that it equals `missionsQueue.input`.
 */
export interface MissionInput {
  /** What the coordinator is to find out or do; of a paper, its subject. 1 to 50,000 UTF-16 code units, trimmed. */
  goal: string;
  /** A name of `FLEET_WORKSPACES`, in which its tasks work. Default: none; they then have no tool that opens files. */
  workspace?: string;
  /** Topics of the mission's finding and of its tasks' findings: at most 50, each at most 100 UTF-16 code units long. Default: none. */
  topics?: string[];
  /**
   * Budget of the whole mission, US dollars: 0.000000001 to 1,000,000. It covers plan, tasks, queries and synthesis.
   * Reaching it parks the mission. Default: none.
   */
  budget_usd?: number;
  /** Share of the tasks that must be done for an answer: 0 to 1. Default 0.8. */
  quorum?: number;
  /**
   * Whether its tasks, where the workspace is a git repository, write in trees of their own, and those that depend on others begin
   * with the changes of these. False: all work in the shared tree. Default true.
   */
  isolate?: boolean;
  /** Who may take its tasks, as of a task: `fleet`, `outside` or `any`. Default `fleet`. */
  for?: (typeof TASK_FOR)[number];
  /** Most tasks that the plan may hold: 1 to 5,000. Default 5,000. */
  max_tasks?: number;
  /** True: the coordinator makes and pays the plan, and adds none of its tasks. Default false. */
  dry_run?: boolean;
  /** True: the mission waits with its plan until a person runs or parks it (`fleet.missions.run`). Default false. */
  approve?: boolean;
  /** Makes the mission a paper: a long document instead of a synthesis. Default: no paper. */
  paper?: {
    /** True: continues without the shards that fail the test, if at least 80 % of all shards work. Default false. */
    accept_shards?: boolean;
    /** The paper uses only findings of this session. Default: findings of all sessions. */
    session?: string;
  };
  /** Memory shard of the mission, its tasks and its questions: at most 100 characters, no white space, colon or brace. Default: none. */
  shard?: string;
}

/** Strict: an unknown key is an error. */
const missionInputSchema = z.strictObject({
  goal: z.string().trim().min(1).max(50_000),
  workspace: z.string().min(1).max(100).optional(),
  topics: z.array(z.string().min(1).max(100)).max(50).optional(),
  budget_usd: budgetUsdSchema.optional(),
  quorum: z.number().min(0).max(1).optional(),
  isolate: z.boolean().optional(),
  for: z.enum(TASK_FOR).optional(),
  max_tasks: z.int().min(1).max(5_000).optional(),
  dry_run: z.boolean().optional(),
  approve: z.boolean().optional(),
  paper: z
    .strictObject({ accept_shards: z.boolean().optional(), session: z.string().min(1).max(200).optional() })
    .optional(),
  shard: shardNameSchema.optional(),
});

/** Goals for the coordinator. Added by: scripts, the command line. Worked by: workers/coordinator. */
export const missionsQueue = defineQueue({
  name: 'missions',
  jobName: 'mission',
  input: missionInputSchema,
  data: z.object({
    ...missionInputSchema.shape,
    session: z.string().optional(),
    /** Name of the client that pays; the fleet stamps it. Absent: no client. */
    client: clientStampSchema,
    /** Vendors that may see it: those that its workspace allows. The fleet stamps it. Absent: all. */
    vendors: z.array(z.string()).optional(),
  }),
  result: z.object({ findingId: z.string(), costNanoUsd: z.int() }),
  attempts: 1,
  timeoutMs: 24 * 60 * 60_000,
  keep: { completed: { age: 7 * 24 * 3600, count: 1_000 }, failed: { age: 30 * 24 * 3600, count: 10_000 } },
});

export type MissionData = z.output<typeof missionsQueue.data>;

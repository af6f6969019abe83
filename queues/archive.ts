import { z } from 'zod';
import { defineQueue } from './define.ts';
import { idSchema } from './ids.ts';
import { clientStampSchema, shardNameSchema } from './owner.ts';

/**
 * The findings from which a question is answered: those that fit every given field. Default of each field: no limit. Names
 * and ids have 1 to 200 UTF-16 code units. It is written out because editors show no comments of a schema's fields. A unit
 * test checks that it equals the schema.
 */
export interface ArchiveFilter {
  /** Only findings of this session. A summary belongs to the sessions of all findings that it replaces. */
  session?: string;
  /** Only findings of this mission. */
  mission_id?: string;
  /** Only findings of this batch. */
  batch?: string;
  /** Only findings with this topic. */
  topic?: string;
  /** Only findings of this instant and later: ISO 8601 with `Z` or an offset. */
  since?: string;
  /**
   * Only findings of this other swarm; `all`: those of this swarm and of all others that it reads (`FLEET_READ_SWARMS`). Default: those
   * of this swarm.
   */
  swarm?: string;
}

const archiveFilterSchema = z.strictObject({
  session: z.string().min(1).max(200).optional(),
  mission_id: z.string().min(1).max(200).optional(),
  batch: z.string().min(1).max(200).optional(),
  topic: z.string().min(1).max(200).optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  swarm: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected the name of a swarm, or all')
    .optional(),
});

/** What a caller may give with a question. */
export interface QuestionOptions {
  /** Who asks, for people; at most 200 UTF-16 code units. The stored answer holds it. Default: none. */
  requester?: string;
  /** The findings from which the answer is drawn. Default: all. */
  filter?: ArchiveFilter;
  /** Id of the mission whose budget pays for the question; it limits no finding. Default: none. */
  mission_id?: string;
  /** Name of the batch whose budget pays for the question; it limits no finding. Default: none. */
  batch?: string;
  /** True: the fallback model of another vendor may answer if no shard can. Default true. */
  allow_fallback?: boolean;
  /** Marks a paper's question: it fails if its shard fails, and does not go to the next shard. Default: no paper's question. */
  paper?: {
    /** Numbers of the shards that a person left out of the paper, at most 100. Default: none. */
    exclude?: number[];
  };
  /** Memory shard of the question and its answer: at most 100 characters, no white space, colon or brace. Default: none. */
  shard?: string;
  /**
   * Name of a memory context: the answer is drawn from its text and from the findings of the memory shard of this name, to which the
   * question then belongs. Default: none.
   */
  context?: string;
}

/** A question as a caller gives it. A unit test checks that it equals `archiveQueue.input`. */
export interface ArchiveInput extends QuestionOptions {
  /** At most 20,000 UTF-16 code units; not only white space. */
  question: string;
}

/** Strict: an unknown key is an error. */
const archiveInputSchema = z.strictObject({
  question: z.string().regex(/\S/, 'expected words, got none').max(20_000),
  requester: z.string().max(200).optional(),
  filter: archiveFilterSchema.optional(),
  mission_id: idSchema.optional(),
  batch: z.string().min(1).max(200).optional(),
  allow_fallback: z.boolean().optional(),
  paper: z.strictObject({ exclude: z.array(z.int().min(1)).max(100).optional() }).optional(),
  shard: shardNameSchema.optional(),
  context: shardNameSchema.optional(),
});

/** Questions to the archive. Added by: scripts, the command line, workers, the coordinator. Worked by: workers/librarian. */
export const archiveQueue = defineQueue({
  name: 'archive',
  jobName: 'query',
  input: archiveInputSchema,
  data: z.object({
    ...archiveInputSchema.shape,
    /** The session that the cost is booked to. The fleet stamps it, and the next three. */
    session: z.string().optional(),
    /** Name of the client that pays. Absent: no client. */
    client: clientStampSchema,
    query_id: z.string().optional(),
    /** Id of the answer: `archive_<query_id>`. */
    finding_id: z.string().optional(),
    /** Of a paper's question: the shard that is tried again, and how often it failed. */
    shard_failure: z.object({ shard: z.int(), count: z.int() }).optional(),
    /** The vendors that see what the asker writes, where its workspace forbids all others: only they may be asked. Absent: all. */
    vendors: z.array(z.string()).optional(),
    /** Another program asked through `query:archive:<id>`; the answer is written to `response:archive:<id>` too. */
    public: z.boolean().optional(),
  }),
  result: z.object({ findingId: z.string(), costNanoUsd: z.int() }),
  attempts: 1,
  timeoutMs: 15 * 60_000,
  keep: { completed: { age: 24 * 3600, count: 5_000 }, failed: { age: 30 * 24 * 3600, count: 100_000 } },
});

export type ArchiveQuery = z.output<typeof archiveQueue.data>;

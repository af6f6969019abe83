import type { Job } from 'bullmq';
import { z } from 'zod';
import { readAssistStamp } from '../../../queues/assist.ts';
import { toUtcDay } from '../../findings/timestamp.ts';
import { toOwner } from '../../../queues/owner.ts';
import type { Usage } from '../../../queues/usage.ts';
import { toLedgerRow } from '../booking-groups.ts';
import { NO_USAGE, toTotalTokens } from '../../pricing/tokens.ts';
import type { Db } from '../../redis/db.ts';

const spentSchema = z.object({
  nanoUsd: z.int(),
  usage: z.object({ input: z.int(), cache_write: z.int(), cache_read: z.int(), output: z.int() }),
  row: z.string().optional(),
});
type Spent = z.output<typeof spentSchema>;

/** The stamps of a failed task. */
const stampSchema = z.object({
  session: z.string().nullish().catch(null),
  batch: z.string().nullish().catch(null),
  mission_id: z.string().nullish().catch(null),
  model: z.string().nullish().catch(null),
});

const MEASURES = ['input', 'cache_write', 'cache_read', 'output'] as const;
const NOTHING: Spent = { nanoUsd: 0, usage: { ...NO_USAGE } };

/** What a failing task has spent since its last failure, and where the ledger counts it. `note-failure.lua` takes it. */
export interface WastedCost {
  /** UTC day. */
  day: string;
  sessionName: string;
  /** First part of its ledger fields. */
  row: string;
  /** The task's totals, as its turns hold them: their mark that this much is counted. */
  totals: string;
  /** By measure: nano-dollars, tokens of each kind, 1 task. */
  ledger: Record<string, number>;
  session: { nano: number; tokens: number; tasks: number };
}

/**
 * Reads the cost of a failing task's calls that is to be counted as *rework*, in the ledger's rows and the session's totals.
 * From these `toSaving` computes the saving after rework. The cost itself is booked already. Only what the task spent since its
 * last failure is counted; if the worker dies before BullMQ has the failure, nothing is counted twice.
 *
 * A task that is retried after its provider failed replays its stored turns. Their cost stays rework, so that the computed
 * saving may be too low, but never too high.
 * @param calledModel the model that did the task; default: the one that the job names
 * @returns null: nothing
 */
export async function readWastedCost(
  job: Pick<Job, 'id' | 'data'>,
  parts: { db: Db; workerId: string; defaultModel?: string },
  calledModel?: string,
): Promise<WastedCost | null> {
  const { redis, keys, clock } = parts.db;
  const [totals = null, counted = null] = await redis.hmget(keys.turns(job.id ?? ''), 'totals', 'rework');
  const now = parseSpent(totals);
  const spent = minus(now, parseSpent(counted));
  if (totals === null || (spent.nanoUsd === 0 && toTotalTokens(spent.usage) === 0)) return null;
  const stamps = stampSchema.safeParse(job.data).data ?? {};
  const identity = {
    session: stamps.session ?? '',
    batch: stamps.batch ?? readAssistStamp(job.data)?.batch ?? null,
    missionId: stamps.mission_id ?? null,
    model: calledModel ?? stamps.model ?? parts.defaultModel ?? '',
    ...toOwner(job.data ?? {}),
  };
  const used = MEASURES.filter((measure) => spent.usage[measure] !== 0);
  return {
    day: toUtcDay(clock.date()),
    sessionName: identity.session,
    row: `${now.row ?? toLedgerRow(identity, parts.workerId)}rework_`, // the last call knows its model and route; a version before noted none
    totals,
    ledger: {
      nano: spent.nanoUsd,
      tasks: 1,
      ...Object.fromEntries(used.map((measure) => [measure, spent.usage[measure]])),
    },
    session: { nano: spent.nanoUsd, tokens: toTotalTokens(spent.usage), tasks: 1 },
  };
}

/** A value that cannot be parsed counts as nothing: it must not prevent the end of the job. */
function parseSpent(text: string | null): Spent {
  if (text === null) return NOTHING;
  try {
    return spentSchema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return NOTHING;
    throw error;
  }
}

function minus(a: Spent, b: Spent): Spent {
  const usage = Object.fromEntries(MEASURES.map((measure) => [measure, a.usage[measure] - b.usage[measure]]));
  return { nanoUsd: a.nanoUsd - b.nanoUsd, usage: usage as unknown as Usage };
}

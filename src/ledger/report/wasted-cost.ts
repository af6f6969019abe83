import type { Job } from 'bullmq';
import type { ChainableCommander } from 'ioredis';
import { z } from 'zod';
import { toUtcDay } from '../../findings/timestamp.ts';
import type { Usage } from '../../../queues/usage.ts';
import { toLedgerRow } from '../booking-groups.ts';
import { NO_USAGE, toTotalTokens } from '../../pricing/tokens.ts';
import type { Db } from '../../redis/db.ts';

const spentSchema = z.object({
  nanoUsd: z.int(),
  usage: z.object({ input: z.int(), cache_write: z.int(), cache_read: z.int(), output: z.int() }),
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

/**
 * Adds commands to a failing task's chain that count the cost of its calls as *rework*, in the ledger's rows and the
 * session's totals. From these `toSaving` computes the saving after rework. The cost itself is booked already. Only what
 * the task spent since its last failure is added; if the worker dies before BullMQ has the failure, nothing is added twice.
 *
 * A task that is retried after its provider failed replays its stored turns. Their cost stays rework, so that the computed
 * saving may be too low, but never too high.
 */
export async function noteWastedCost(
  chain: ChainableCommander,
  job: Pick<Job, 'id' | 'data'>,
  parts: { db: Db; workerId: string; defaultModel?: string },
): Promise<void> {
  const { workerId } = parts;
  const { redis, keys } = parts.db;
  const turns = keys.turns(job.id ?? '');
  const [totals = null, counted = null] = await redis.hmget(turns, 'totals', 'rework');
  const spent = minus(parseSpent(totals), parseSpent(counted));
  if (totals === null || (spent.nanoUsd === 0 && toTotalTokens(spent.usage) === 0)) return;
  const stamps = stampSchema.safeParse(job.data).data ?? {};
  const session = stamps.session ?? '';
  const identity = {
    session,
    batch: stamps.batch ?? null,
    missionId: stamps.mission_id ?? null,
    model: stamps.model ?? parts.defaultModel ?? '',
  };
  const day = toUtcDay(new Date());
  const row = `${toLedgerRow(identity, workerId)}rework_`;
  chain.hset(turns, 'rework', totals).sadd(keys.ledgerDays, day);
  chain.hincrby(keys.ledger(day), `${row}nano`, spent.nanoUsd).hincrby(keys.ledger(day), `${row}tasks`, 1);
  for (const measure of MEASURES) {
    if (spent.usage[measure] !== 0) chain.hincrby(keys.ledger(day), `${row}${measure}`, spent.usage[measure]);
  }
  const sums = keys.sessionTotals(session);
  chain
    .hincrby(sums, 'rework:nano', spent.nanoUsd)
    .hincrby(sums, 'rework:tokens', toTotalTokens(spent.usage))
    .hincrby(sums, 'rework:tasks', 1);
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

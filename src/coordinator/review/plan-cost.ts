import { readMissionLedger, toCostReport } from '../../ledger/report/report.ts';
import type { JobTotals } from '../../ledger/types.ts';
import type { Config } from '../../config/environment.ts';
import { catalogOf, type Catalog } from '../../pricing/catalog.ts';
import { addUsage, NO_USAGE } from '../../pricing/tokens.ts';
import type { Db } from '../../redis/db.ts';
import { hasFields, parseRecord } from '../../redis/stored-record.ts';
import { readMissionFields, writeMissionFields } from '../mission/record.ts';
import type { MissionRun } from '../step/run.ts';

type CostConfig = Pick<Config, 'FLEET_COORDINATOR_MODEL' | 'models'>;

/** Replies of a job's stored calls; the other fields are small. */
const REPLY = /^[rt]:/;
/** No call was ever digested to this: the next call of the job drops the stored replies, of which there are none. */
const NO_DIGEST = '-';

/**
 * Keeps what the plan of a dry run has cost, and drops its replies: if a person runs the plan, the mission's finding counts it.
 * @returns the cost of the mission's own calls
 */
export async function keepPlanCost({
  db,
  mission: { id },
  calls,
}: Pick<MissionRun, 'db' | 'mission' | 'calls'>): Promise<JobTotals> {
  const { redis, keys } = db;
  const stored = await redis.hget(keys.turns(id), 'totals');
  const totals = stored === null ? calls.totals() : (JSON.parse(stored) as JobTotals);
  await writeMissionFields(db, id, { own_totals: JSON.stringify(totals) });
  const replies = (await redis.hkeys(keys.turns(id))).filter((field) => REPLY.test(field));
  if (replies.length > 0) await redis.hdel(keys.turns(id), ...replies);
  return totals;
}

/**
 * Lets the next run of the mission begin with the cost of its plan, where the stored calls of the job are gone. A dry run of a
 * version before kept none: the ledger has it, because a dry run has no other call of this model.
 */
export async function restorePlanCost(db: Db, id: string, config: CostConfig): Promise<void> {
  const { redis, keys } = db;
  if ((await redis.hexists(keys.turns(id), 'totals')) === 0) {
    const [kept = null] = await readMissionFields(db, id, 'own_totals');
    const totals = isTotals(kept) ? kept : JSON.stringify(await readPlanCost(db, id, config));
    const chain = redis.multi();
    for (const [field, value] of Object.entries({ epoch: '0', digest: NO_DIGEST, totals })) {
      chain.hsetnx(keys.turns(id), field, value);
    }
    await chain.exec();
  }
  await redis.persist(keys.turns(id)); // it had an end while the mission had no job
}

/** Another program may have written it. */
function isTotals(text: string | null): text is string {
  return hasFields(parseRecord(text), { nanoUsd: 'number', calls: 'number' });
}

async function readPlanCost(db: Db, id: string, config: CostConfig): Promise<JobTotals> {
  const now = db.clock.date();
  const catalog = catalogOf(config);
  const sonnet = catalog.findPrices(config.FLEET_COORDINATOR_MODEL, now);
  const [createdAt = null] = await readMissionFields(db, id, 'createdAt');
  const entries = await readMissionLedger(db, { id, since: createdAt?.slice(0, 10) });
  const { rows } = toCostReport(entries, { by: 'model', sonnet, catalog, only: { mission: id } });
  const none: JobTotals = { nanoUsd: 0, usage: { ...NO_USAGE }, calls: 0 };
  return rows
    .filter(({ name }) => name !== null && isSonnet(catalog, name, now))
    .reduce(
      (sum, row) => ({
        nanoUsd: sum.nanoUsd + row.costNano,
        usage: addUsage(sum.usage, row.usage),
        calls: sum.calls + row.calls,
      }),
      none,
    );
}

/** A model that is not in the catalog is none. */
function isSonnet(catalog: Catalog, model: string, now: Date): boolean {
  try {
    return catalog.findPrices(model, now).costVendor === 'sonnet';
  } catch {
    return false;
  }
}

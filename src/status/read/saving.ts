import { toCostReport, readLedger } from '../../ledger/report/report.ts';
import type { Saving } from '../../pricing/cost.ts';
import { TaskFailedError } from '../../errors.ts';
import type { Catalog, CatalogEntry } from '../../pricing/catalog.ts';
import type { Db } from '../../redis/db.ts';

/** Most fields of the ledger that a status reads: some milliseconds of Redis. `fleet costs` reports a larger session's saving. */
const MOST_FIELDS = 20_000;
const MOST_DAYS = 31;

/**
 * Reads the session's saving against all Sonnet, before and after rework, from the ledger.
 * @returns null where the ledger of the session's days is too large for a status, or the model has no price
 */
export async function readSaving(
  db: Db,
  session: { name: string; startedAt: string | null },
  options: { coordinatorModel: string; catalog: Catalog; now: Date },
): Promise<Saving | null> {
  const { redis, keys } = db;
  const since = (session.startedAt ?? '').slice(0, 10);
  const days = (await redis.smembers(keys.ledgerDays)).filter((day) => day >= since);
  if (days.length > MOST_DAYS) return null;
  const sizes = await Promise.all(days.map((day) => redis.hlen(keys.ledger(day))));
  if (sizes.reduce((sum, size) => sum + size, 0) > MOST_FIELDS) return null;
  const { catalog } = options;
  const sonnet = toPrices(catalog, options.coordinatorModel, options.now);
  if (sonnet === null) return null;
  const only = { session: session.name };
  const { total } = toCostReport(await readLedger(db, since), { by: 'session', sonnet, catalog, only });
  return { savedPercent: total.savedPercent, effectiveSavedPercent: total.effectiveSavedPercent };
}

/** Null for a model without a price: the rest of the status is still shown. */
function toPrices(catalog: Catalog, model: string, now: Date): CatalogEntry | null {
  try {
    return catalog.findPrices(model, now);
  } catch (error) {
    if (error instanceof TaskFailedError) return null;
    throw error;
  }
}

import { toUsdString } from '../../pricing/money.ts';
import { readMissionLedger, toCostReport, type LedgerEntry } from '../../ledger/report/report.ts';
import type { JobTotals } from '../../ledger/types.ts';
import { toTotalTokens } from '../../pricing/tokens.ts';
import { toModelClass } from '../../pricing/model-class.ts';
import type { Catalog, CatalogEntry } from '../../pricing/catalog.ts';
import type { Db } from '../../redis/db.ts';

/** An amount by the model of the tasks. */
interface ByModel {
  haiku: number;
  sonnet: number;
  other: number;
}

/** A mission's tasks, tokens and cost by model. Money in nano-dollars. */
export interface CostSplit {
  /** Done tasks. */
  tasks: ByModel;
  /** Those of them on a model that is not of the coordinator's class. */
  delegated: number;
  /** Of all tasks, failed ones included, without the calls of coordinator and archive. */
  tokens: ByModel;
  nanoUsd: ByModel;
  /** Planning and synthesis. They are no tasks and in none of the above. */
  coordinator: { calls: number; tokens: number; nanoUsd: number };
  /** Questions to the archive, of the mission and of its tasks. */
  archive: { calls: number; tokens: number; nanoUsd: number };
  /** Of failed and handed-back tasks; included in `nanoUsd`. */
  rework: { tasks: number; nanoUsd: number };
  /** The cost of everything, and of the tasks' and the coordinator's tokens at its model's prices. */
  costNanoUsd: number;
  /** Count of the calls of free local models, which cost nothing a token. */
  freeLocalCalls: number;
  allSonnetNanoUsd: number;
  /** That model, for people: `Sonnet`, or its id. */
  comparedWith: string;
  /** Percent, unrounded. */
  savedPercent: number;
  /** The same, but only work that ended in findings counts as saved; null: no task ended in a finding. */
  effectiveSavedPercent: number | null;
}

/**
 * Reads the cost split of one mission from the ledger.
 * @param mission.createdAt ISO 8601; days before it are not read. Null: all days are read
 * @param mission.own cost of the coordinator's own calls
 */
export async function readCostSplit(
  db: Db,
  mission: { id: string; createdAt: string | null; own: JobTotals },
  prices: { catalog: Catalog; sonnet: CatalogEntry },
): Promise<CostSplit> {
  const { id, createdAt } = mission;
  return toCostSplit(await readMissionLedger(db, { id, since: createdAt?.slice(0, 10) }), mission, prices);
}

/** @param entries of the ledger; those of other missions are ignored */
export function toCostSplit(
  entries: readonly LedgerEntry[],
  { id, own }: { id: string; own: JobTotals },
  prices: { catalog: Catalog; sonnet: CatalogEntry },
): CostSplit {
  const { rows, total, comparedWith } = toCostReport(entries, { by: 'model', ...prices, only: { mission: id } });
  const tasks: ByModel = { haiku: 0, sonnet: 0, other: 0 };
  const tokens: ByModel = { haiku: 0, sonnet: 0, other: 0 };
  const nanoUsd: ByModel = { haiku: 0, sonnet: 0, other: 0 };
  let delegated = 0;
  for (const row of rows) {
    if (row.name === null) continue; // the survey, which needs no model and is no planned task
    const vendor = toVendor(row.name, prices.catalog);
    tasks[vendor] += row.tasks;
    tokens[vendor] += toTotalTokens(row.usage) - toTotalTokens(row.archive.usage);
    nanoUsd[vendor] += row.costNano - row.archive.costNano;
    if (toModelClass(row.name) !== toModelClass(prices.sonnet.id)) delegated += row.tasks;
  }
  const lead = toVendor(prices.sonnet.id, prices.catalog); // the coordinator's calls are in its model's rows
  tokens[lead] = Math.max(0, tokens[lead] - toTotalTokens(own.usage)); // below 0: booked on another model, by an edited configuration
  nanoUsd[lead] = Math.max(0, nanoUsd[lead] - own.nanoUsd);
  const { archive } = total;
  return {
    tasks,
    delegated,
    tokens,
    nanoUsd,
    coordinator: { calls: own.calls, tokens: toTotalTokens(own.usage), nanoUsd: own.nanoUsd },
    archive: { calls: archive.calls, tokens: toTotalTokens(archive.usage), nanoUsd: archive.costNano },
    rework: { tasks: total.reworkTasks, nanoUsd: total.reworkNano },
    costNanoUsd: total.costNano,
    freeLocalCalls: total.freeLocalCalls,
    comparedWith,
    allSonnetNanoUsd: total.allSonnetNano,
    savedPercent: total.savedPercent,
    effectiveSavedPercent: total.effectiveSavedPercent,
  };
}

/** Share of the whole, 0..1; null: the whole is 0. */
function toShare(part: number, { haiku, sonnet, other }: ByModel): number | null {
  const whole = haiku + sonnet + other;
  return whole === 0 ? null : part / whole;
}

/** The cost split as a mission's finding holds it: shares 0..1, dollars as decimals, percent with one digit. */
export function toCostSplitJson(split: CostSplit) {
  return {
    delegation: {
      delegated_tasks: rounded(toShare(split.delegated, split.tasks), 4),
      haiku_tasks: rounded(toShare(split.tasks.haiku, split.tasks), 4),
      haiku_tokens: rounded(toShare(split.tokens.haiku, split.tokens), 4),
      haiku_cost: rounded(toShare(split.nanoUsd.haiku, split.nanoUsd), 4),
    },
    cost: {
      total_usd: usd(split.costNanoUsd),
      ...(split.freeLocalCalls === 0 ? {} : { free_local_calls: split.freeLocalCalls }),
      tasks_usd: usd(split.nanoUsd.haiku + split.nanoUsd.sonnet + split.nanoUsd.other),
      coordinator_usd: usd(split.coordinator.nanoUsd),
      archive_usd: usd(split.archive.nanoUsd),
      rework_usd: usd(split.rework.nanoUsd),
      all_sonnet_usd: usd(split.allSonnetNanoUsd),
    },
    saving: {
      percent: rounded(split.savedPercent, 1),
      compared_with: split.comparedWith,
      effective_percent: rounded(split.effectiveSavedPercent, 1),
    },
  };
}

/** A model of another vendor, or one that is not in the catalog, counts as `other`. */
function toVendor(model: string, catalog: Catalog): keyof ByModel {
  try {
    const vendor = catalog.findPrices(model, new Date()).costVendor;
    return vendor === 'haiku' || vendor === 'sonnet' ? vendor : 'other';
  } catch {
    return 'other';
  }
}

function usd(nano: number): number {
  return Number(toUsdString(nano, 6));
}

function rounded(value: number | null, digits: number): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}

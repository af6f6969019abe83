import { NO_MODEL } from '../../findings/finding.ts';
import { toUsdString } from '../../pricing/money.ts';
import { readLedger, toCostReport, type LedgerEntry } from '../../ledger/report/report.ts';
import type { JobTotals } from '../../ledger/types.ts';
import { toTotalTokens } from '../../pricing/tokens.ts';
import { findPrices, type CatalogEntry } from '../../pricing/catalog.ts';
import type { Db } from '../../redis/db.ts';
import type { CostVendor } from '../../redis/keys.ts';

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
  /** Of all tasks, failed ones included, without the calls of coordinator and archive. */
  tokens: ByModel;
  nanoUsd: ByModel;
  /** Planning and synthesis. They are no tasks and in none of the above. */
  coordinator: { calls: number; tokens: number; nanoUsd: number };
  /** Questions to the archive, of the mission and of its tasks. */
  archive: { calls: number; tokens: number; nanoUsd: number };
  /** Of failed and handed-back tasks; included in `nanoUsd`. */
  rework: { tasks: number; nanoUsd: number };
  /** The cost of everything, and of the same tokens at Sonnet's prices. */
  costNanoUsd: number;
  allSonnetNanoUsd: number;
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
  sonnet: CatalogEntry,
): Promise<CostSplit> {
  return toCostSplit(await readLedger(db, mission.createdAt?.slice(0, 10)), mission, sonnet);
}

/** @param entries of the ledger; those of other missions are ignored */
export function toCostSplit(
  entries: readonly LedgerEntry[],
  { id, own }: { id: string; own: JobTotals },
  sonnet: CatalogEntry,
): CostSplit {
  const { rows, total } = toCostReport(entries, { by: 'model', sonnet, only: { mission: id } });
  const tasks: ByModel = { haiku: 0, sonnet: 0, other: 0 };
  const tokens: ByModel = { haiku: 0, sonnet: -toTotalTokens(own.usage), other: 0 }; // the coordinator's calls are Sonnet's too
  const nanoUsd: ByModel = { haiku: 0, sonnet: -own.nanoUsd, other: 0 };
  const archive = { calls: 0, tokens: 0, nanoUsd: 0 };
  for (const row of rows) {
    if (row.name === NO_MODEL.id) continue; // the survey, which is no planned task
    const vendor = toVendor(row.name);
    if (vendor === 'gemini') {
      archive.calls += row.calls;
      archive.tokens += toTotalTokens(row.usage);
      archive.nanoUsd += row.costNano;
      continue;
    }
    tasks[vendor] += row.tasks;
    tokens[vendor] += toTotalTokens(row.usage);
    nanoUsd[vendor] += row.costNano;
  }
  tokens.sonnet = Math.max(0, tokens.sonnet); // own calls booked on another model, by an edited configuration
  nanoUsd.sonnet = Math.max(0, nanoUsd.sonnet);
  return {
    tasks,
    tokens,
    nanoUsd,
    coordinator: { calls: own.calls, tokens: toTotalTokens(own.usage), nanoUsd: own.nanoUsd },
    archive,
    rework: { tasks: total.reworkTasks, nanoUsd: total.reworkNano },
    costNanoUsd: total.costNano,
    allSonnetNanoUsd: total.allSonnetNano,
    savedPercent: total.savedPercent,
    effectiveSavedPercent: total.effectiveSavedPercent,
  };
}

/** Haiku's share, 0..1; null: the whole is 0. */
function toHaikuShare({ haiku, sonnet, other }: ByModel): number | null {
  const whole = haiku + sonnet + other;
  return whole === 0 ? null : haiku / whole;
}

/** The cost split as a mission's finding holds it: shares 0..1, dollars as decimals, percent with one digit. */
export function toCostSplitJson(split: CostSplit) {
  return {
    delegation: {
      haiku_tasks: rounded(toHaikuShare(split.tasks), 4),
      haiku_tokens: rounded(toHaikuShare(split.tokens), 4),
      haiku_cost: rounded(toHaikuShare(split.nanoUsd), 4),
    },
    cost: {
      total_usd: usd(split.costNanoUsd),
      tasks_usd: usd(split.nanoUsd.haiku + split.nanoUsd.sonnet + split.nanoUsd.other),
      coordinator_usd: usd(split.coordinator.nanoUsd),
      archive_usd: usd(split.archive.nanoUsd),
      rework_usd: usd(split.rework.nanoUsd),
      all_sonnet_usd: usd(split.allSonnetNanoUsd),
    },
    saving: {
      percent: rounded(split.savedPercent, 1),
      effective_percent: rounded(split.effectiveSavedPercent, 1),
    },
  };
}

/** A model that is not in the catalog counts as `other`. */
function toVendor(model: string | null): CostVendor {
  try {
    return model === null ? 'other' : findPrices(model, new Date()).costVendor;
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

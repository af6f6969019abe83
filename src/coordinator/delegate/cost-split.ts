import { toUsdString } from '../../pricing/money.ts';
import { readLedger, toCostReport, type LedgerEntry } from '../../ledger/report/report.ts';
import type { JobTotals } from '../../ledger/types.ts';
import { toTotalTokens } from '../../pricing/tokens.ts';
import { findPrices, type CatalogEntry } from '../../pricing/catalog.ts';
import type { Db } from '../../redis/db.ts';
import type { CostVendor } from '../../redis/keys.ts';

/** What of something went to each model of the tasks. */
interface ByModel {
  haiku: number;
  sonnet: number;
  other: number;
}

/** How a mission's work was shared out, and what it cost. Money in nano-dollars. */
export interface CostSplit {
  /** Done tasks. */
  tasks: ByModel;
  /** Of all tasks, failed ones included; without the coordinator's own calls and without the archive's. */
  tokens: ByModel;
  nanoUsd: ByModel;
  /** Planning and synthesis: no tasks, so in none of the above. */
  coordinator: { calls: number; tokens: number; nanoUsd: number };
  /** Questions to the archive, of the mission and of its tasks. */
  archive: { calls: number; tokens: number; nanoUsd: number };
  /** Of failed and handed-back tasks; in `nanoUsd` too. */
  rework: { tasks: number; nanoUsd: number };
  /** Everything together, and the same tokens at Sonnet's prices. */
  costNanoUsd: number;
  allSonnetNanoUsd: number;
  /** Percent, unrounded. */
  savedPercent: number;
  /** Only what ended in findings counts as saved work; null: nothing did. */
  effectiveSavedPercent: number | null;
}

/**
 * Reads one mission's shares from the ledger.
 * @param mission.createdAt ISO 8601; days before it are not read. Null: all days
 * @param mission.own what the coordinator's own calls have cost
 */
export async function readCostSplit(
  db: Db,
  mission: { id: string; createdAt: string | null; own: JobTotals },
  sonnet: CatalogEntry,
): Promise<CostSplit> {
  return toCostSplit(await readLedger(db, mission.createdAt?.slice(0, 10)), mission, sonnet);
}

/** @param entries of the ledger, other missions' among them */
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

/** Haiku's share, 0..1; null where there is nothing to share. */
function toHaikuShare({ haiku, sonnet, other }: ByModel): number | null {
  const whole = haiku + sonnet + other;
  return whole === 0 ? null : haiku / whole;
}

/** As a mission's finding says it: shares 0..1, dollars as decimals, percent with one digit. */
export function toCostSplitJson(shares: CostSplit) {
  return {
    delegation: {
      haiku_tasks: rounded(toHaikuShare(shares.tasks), 4),
      haiku_tokens: rounded(toHaikuShare(shares.tokens), 4),
      haiku_cost: rounded(toHaikuShare(shares.nanoUsd), 4),
    },
    cost: {
      total_usd: usd(shares.costNanoUsd),
      tasks_usd: usd(shares.nanoUsd.haiku + shares.nanoUsd.sonnet + shares.nanoUsd.other),
      coordinator_usd: usd(shares.coordinator.nanoUsd),
      archive_usd: usd(shares.archive.nanoUsd),
      rework_usd: usd(shares.rework.nanoUsd),
      all_sonnet_usd: usd(shares.allSonnetNanoUsd),
    },
    saving: {
      percent: rounded(shares.savedPercent, 1),
      effective_percent: rounded(shares.effectiveSavedPercent, 1),
    },
  };
}

/** A model that nobody knows any more is another one. */
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

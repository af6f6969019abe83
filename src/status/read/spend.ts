import { toNanoUsd } from '../../pricing/money.ts';
import { VENDORS, type Spend, type StatusSnapshot, type VendorSpend } from '../types.ts';
import { toStoredCount } from '../../redis/stored-record.ts';

/** What else the session's totals count by. */
const NO_VENDORS = new Set(['coordinator', 'archive', 'rework', 'unmetered', 'class']);

/**
 * Lists the vendors of the session, in the order of a status: those that every status has, the others by name, then what has none.
 * @param totals the session's totals: they have a vendor whose work was free, too
 */
export function listVendors(booked: Record<string, string>, totals: Record<string, string>): string[] {
  const worked = Object.keys(totals).flatMap((field) => /^([^:]+):(?:tokens|tasks)$/.exec(field)?.[1] ?? []);
  const named = [...Object.keys(booked), ...worked].filter((name) => !NO_VENDORS.has(name)).sort();
  const [sonnet, haiku, gemini, other] = VENDORS;
  return [...new Set([sonnet, haiku, gemini, ...named.filter((name) => name !== other), other])];
}

/**
 * What each vendor cost in the session in force.
 * @param costs by vendor, the value of `cost:*`: a decimal that other programs may have added to
 * @param totals the session's totals
 * @param booked what the fleet itself has added to `cost:*` since the session began, also for work of other sessions
 */
export function toSpend(
  costs: ReadonlyMap<string, string | null>,
  totals: Record<string, string>,
  booked: Record<string, string>,
): Spend {
  const entries = listVendors(booked, totals).map((vendor): [string, VendorSpend] => {
    const ofSession = toStoredCount(totals[`${vendor}:nano`]) + toStoredCount(totals[`${vendor}:lead_nano`]);
    const own = Math.max(ofSession, toStoredCount(booked[vendor])); // an older version counted by session only
    const nanoUsd = readDollars(costs.get(vendor) ?? null) ?? own;
    const freeLocal = toStoredCount(totals[`${vendor}:free_local`]);
    const spend = {
      ...(freeLocal > 0 && { freeLocal }),
      nanoUsd,
      externalNanoUsd: Math.abs(nanoUsd - own) > 1 ? nanoUsd - own : 0,
      tokens: toStoredCount(totals[`${vendor}:tokens`]),
      tasks: toStoredCount(totals[`${vendor}:tasks`]),
    };
    return [vendor, spend];
  });
  return Object.fromEntries(entries) as Spend;
}

/** Null where another program stored what is no number. */
function readDollars(text: string | null): number | null {
  try {
    return toNanoUsd(text ?? '0');
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The day's budget. @param defaultLimit limit where none is stored, nano-dollars */
export function toDayBudget(
  day: string,
  stored: { limits: Record<string, string>; spent: Record<string, string> },
  defaultLimit: number | undefined,
): StatusSnapshot['budget'] {
  const limit = stored.limits['day'];
  return {
    day,
    limitNanoUsd: limit === undefined ? (defaultLimit ?? null) : toStoredCount(limit),
    settledNanoUsd: toStoredCount(stored.spent['settled']),
    reservedNanoUsd: toStoredCount(stored.spent['reserved']),
    uncertainNanoUsd: toStoredCount(stored.spent['uncertain']),
  };
}

/** The coordinator's calls, the librarians', and the cost of tasks that failed or were handed back. All are part of the spend. */
export function toExtraCosts(
  totals: Record<string, string>,
): Pick<StatusSnapshot, 'coordinator' | 'archive' | 'rework'> {
  const read = (field: string): number => toStoredCount(totals[field]);
  const readCalls = (of: 'coordinator' | 'archive') => ({
    nanoUsd: read(`${of}:nano`),
    tokens: read(`${of}:tokens`),
    calls: read(`${of}:calls`),
  });
  return {
    coordinator: readCalls('coordinator'),
    archive: readCalls('archive'),
    rework: { nanoUsd: read('rework:nano'), tasks: read('rework:tasks') },
  };
}

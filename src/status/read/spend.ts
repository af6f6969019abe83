import { toNanoUsd } from '../../pricing/money.ts';
import { VENDORS, type StatusSnapshot, type Vendor, type VendorSpend } from '../types.ts';

/**
 * What each vendor cost in the session in force.
 * @param costs values of `cost:*`, in the order of VENDORS; decimals that other programs may have added to
 * @param totals the session's totals
 * @param booked what the fleet itself has added to `cost:*` since the session began, also for work of other sessions
 */
export function toSpend(
  costs: (string | null)[],
  totals: Record<string, string>,
  booked: Record<string, string>,
): Record<Vendor, VendorSpend> {
  const entries = VENDORS.map((vendor, i): [Vendor, VendorSpend] => {
    const ofSession = Number(totals[`${vendor}:nano`] ?? 0) + Number(totals[`${vendor}:lead_nano`] ?? 0);
    const own = Math.max(ofSession, Number(booked[vendor] ?? 0)); // an older version counted by session only
    const nanoUsd = readDollars(costs[i] ?? null) ?? own;
    const spend = {
      nanoUsd,
      externalNanoUsd: Math.abs(nanoUsd - own) > 1 ? nanoUsd - own : 0,
      tokens: Number(totals[`${vendor}:tokens`] ?? 0),
      tasks: Number(totals[`${vendor}:tasks`] ?? 0),
    };
    return [vendor, spend];
  });
  return Object.fromEntries(entries) as Record<Vendor, VendorSpend>;
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
    limitNanoUsd: limit === undefined ? (defaultLimit ?? null) : Number(limit),
    settledNanoUsd: Number(stored.spent['settled'] ?? 0),
    reservedNanoUsd: Number(stored.spent['reserved'] ?? 0),
    uncertainNanoUsd: Number(stored.spent['uncertain'] ?? 0),
  };
}

/** The coordinator's own calls, and the cost of tasks that failed or were handed back. Both are part of the spend. */
export function toExtraCosts(totals: Record<string, string>): Pick<StatusSnapshot, 'coordinator' | 'rework'> {
  const read = (field: string): number => Number(totals[field] ?? 0);
  return {
    coordinator: {
      nanoUsd: read('coordinator:nano'),
      tokens: read('coordinator:tokens'),
      calls: read('coordinator:calls'),
    },
    rework: { nanoUsd: read('rework:nano'), tasks: read('rework:tasks') },
  };
}

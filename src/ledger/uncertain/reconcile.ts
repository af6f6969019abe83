import { noteChange, toNamed } from '../../audit/note-change.ts';
import type { Usage } from '../../../queues/usage.ts';
import type { ReportedUsage } from '../../models/anthropic/usage-report.ts';
import { withoutSnapshot, type Catalog, type CatalogEntry } from '../../pricing/catalog.ts';
import { costNanoUsd } from '../../pricing/cost.ts';
import { formatUsd } from '../../pricing/money.ts';
import { addUsage, NO_USAGE, withoutUsage } from '../../pricing/tokens.ts';
import type { Db } from '../../redis/db.ts';
import { readWholeLedger } from '../report/report.ts';
import { readUncertain, type UncertainCall } from './list.ts';
import { settleUncertain, type Verdict } from './settle.ts';

/** What the comparison says about the uncertain calls of a model. */
export type Conclusion =
  /** There are none. */
  | 'none'
  /** The ledger holds all that the provider counted: they were not billed. */
  | 'unpaid'
  /** They can have used what the provider counted more: together they are settled at it. */
  | 'explained'
  /** The provider counted more than they can have used: another program uses the account. They stay uncertain. */
  | 'unexplained';

/** One model on one day: the provider's count beside the ledger. Money in nano-dollars. */
export interface Reconciliation {
  model: string;
  provider: Usage;
  ledger: Usage;
  /** Cost at list price of what the provider counted more. */
  gapNanoUsd: number;
  uncertainCalls: number;
  /** The worst case of the uncertain calls. */
  uncertainNanoUsd: number;
  conclusion: Conclusion;
  settled: UncertainCall[];
}

/**
 * Compares the provider's usage report of a day with the ledger, model by model, and settles the uncertain calls that it
 * explains: of each at its share of what the provider counted more.
 * @param day UTC, `YYYY-MM-DD`; it must be over, else calls are missing on one side
 */
export async function reconcile(
  db: Db,
  { day, report, by, catalog }: { day: string; report: readonly ReportedUsage[]; by: string; catalog: Catalog },
): Promise<Reconciliation[]> {
  const ledger = (await readWholeLedger(db, day)).filter((entry) => entry.day === day);
  const uncertain = (await readUncertain(db)).filter((call) => call.day === day);
  const reported = report.map(({ model, ...more }) => ({ ...more, model: withoutSnapshot(model) }));
  // Models that only the report has are those of other programs.
  const models = new Set(
    [...ledger, ...uncertain].flatMap(({ model }) =>
      model?.startsWith('claude-') === true ? [withoutSnapshot(model)] : [],
    ),
  );
  const rows: Reconciliation[] = [];
  for (const model of [...models].sort()) {
    const isOf = (one: { model: string | null }): boolean => one.model !== null && withoutSnapshot(one.model) === model;
    const parts = { reported: reported.filter(isOf), booked: ledger.filter(isOf), calls: uncertain.filter(isOf) };
    const row = compare(catalog.findPrices(model, new Date(`${day}T12:00:00Z`)), model, parts);
    const shares = toShares(row, parts.calls);
    for (const [i, call] of parts.calls.entries()) {
      const share = shares[i];
      if (share === undefined) continue;
      const verdict: Verdict = { ...share, by, why: `the provider's usage report of ${day}: ${row.conclusion}` };
      if (await settleUncertain(db, call, verdict)) row.settled.push(call);
    }
    rows.push(row);
    if (row.settled.length === 0) continue;
    await noteChange(db, {
      what: 'settle',
      about: { model, ...toNamed(row.settled.map(({ id }) => id)) },
      before: { cost: 'uncertain', worst: formatUsd(row.uncertainNanoUsd, 6) },
      after: { cost: formatUsd(row.gapNanoUsd, 6), why: `the provider's usage report of ${day}: ${row.conclusion}` },
    });
  }
  return rows;
}

function compare(
  prices: CatalogEntry,
  model: string,
  { reported, booked, calls }: { reported: ReportedUsage[]; booked: { usage: Usage }[]; calls: UncertainCall[] },
): Reconciliation {
  const provider = sum(reported);
  const ledger = sum(booked);
  const isInUs = reported.some(({ geo }) => geo === 'us');
  // The price step is of one prompt: as if the uncertain calls had shared what was counted more.
  const step = prices.priceStepTokens === null ? null : prices.priceStepTokens * Math.max(1, calls.length);
  const gap = withoutUsage(provider, ledger);
  const gapNanoUsd = costNanoUsd({ ...prices, priceStepTokens: step }, gap, isInUs ? 'us' : undefined);
  const uncertainNanoUsd = calls.reduce((total, call) => total + call.nanoUsd, 0);
  const row = { model, provider, ledger, gapNanoUsd, uncertainCalls: calls.length, uncertainNanoUsd, settled: [] };
  if (calls.length === 0) return { ...row, conclusion: 'none' };
  if (gapNanoUsd === 0) return { ...row, conclusion: 'unpaid' };
  return { ...row, conclusion: gapNanoUsd <= uncertainNanoUsd ? 'explained' : 'unexplained' };
}

/** What each call is settled at; none for a conclusion that settles nothing. The shares add up to the gap to the last token. */
function toShares(
  { conclusion, provider, ledger, gapNanoUsd, uncertainNanoUsd }: Reconciliation,
  calls: readonly UncertainCall[],
): { nanoUsd: number; usage: Usage }[] {
  if (conclusion === 'none' || conclusion === 'unexplained') return [];
  const gap = withoutUsage(provider, ledger);
  let from = 0;
  return calls.map(({ nanoUsd }) => {
    const before = from;
    from += nanoUsd;
    const share = (amount: number): number =>
      scale(amount, from, uncertainNanoUsd) - scale(amount, before, uncertainNanoUsd);
    const usage = {
      input: share(gap.input),
      cache_write: share(gap.cache_write),
      cache_read: share(gap.cache_read),
      output: share(gap.output),
    };
    return { nanoUsd: share(gapNanoUsd), usage };
  });
}

/** `amount × part / whole`, rounded down, without loss: the product is no safe integer. */
function scale(amount: number, part: number, whole: number): number {
  return whole === 0 ? 0 : Number((BigInt(amount) * BigInt(part)) / BigInt(whole));
}

function sum(parts: readonly { usage: Usage }[]): Usage {
  return parts.reduce((total, { usage }) => addUsage(total, usage), { ...NO_USAGE });
}

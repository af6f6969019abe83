import type { Queue } from 'bullmq';
import { noteChange, toNamed } from '../../audit/note-change.ts';
import type { QueueName } from '../../../queues/registry.ts';
import { endPauseForMoney } from '../../jobs/outcomes/backoff.ts';
import { releaseParked } from '../../jobs/outcomes/parked.ts';
import type { UncertainCall } from '../../ledger/uncertain/list.ts';
import { settleUncertain } from '../../ledger/uncertain/settle.ts';
import { formatUsd } from '../../pricing/money.ts';
import type { Db } from '../../redis/db.ts';

/** Whether a person says that a call was billed: `paid` books its worst case, `unpaid` nothing. */
export const VERDICTS = ['paid', 'unpaid'] as const;
export type VerdictWord = (typeof VERDICTS)[number];

interface SettleParts {
  db: Db;
  queues: Record<QueueName, Queue>;
}

/** What a settlement did. */
export interface SettleReport {
  /** Without those that were uncertain no longer. */
  settled: UncertainCall[];
  /** The worst case of the settled calls. */
  nanoUsd: number;
  /** How many parked jobs wait for a worker again. */
  released: number;
}

/** Settles uncertain calls as a person says, and lets everything go on that waited for their money. @param said.why how the person knows */
export async function settleCalls(
  parts: SettleParts,
  calls: readonly UncertainCall[],
  said: { verdict: VerdictWord; by: string; why: string },
): Promise<SettleReport> {
  const { verdict, by, why } = said;
  const settled: UncertainCall[] = [];
  try {
    for (const call of calls) {
      const nanoUsd = verdict === 'paid' ? call.nanoUsd : 0;
      if (await settleUncertain(parts.db, call, { nanoUsd, by, why })) settled.push(call);
    }
  } finally {
    await noteSettlement(parts.db, settled, said);
  }
  const released = await makeRoom(parts, settled);
  return { settled, nanoUsd: sum(settled), released };
}

/** One entry of the audit, however many calls were settled; also where an error has ended it half way. */
async function noteSettlement(
  db: Db,
  settled: readonly UncertainCall[],
  { verdict, why }: { verdict: VerdictWord; why: string },
): Promise<void> {
  if (settled.length === 0) return;
  await noteChange(db, {
    what: 'settle',
    about: toNamed(settled.map(({ id }) => id)),
    before: { cost: 'uncertain', worst: formatUsd(sum(settled), 6) },
    after: { cost: verdict, why },
  });
}

function sum(calls: readonly UncertainCall[]): number {
  return calls.reduce((total, call) => total + call.nanoUsd, 0);
}

/**
 * Lets everything go on that waited for the money of uncertain calls. Each asks its budget again.
 * @returns how many parked jobs were released
 */
export async function makeRoom(parts: SettleParts, settled: readonly UncertainCall[]): Promise<number> {
  if (settled.length === 0) return 0;
  await endPauseForMoney(parts.db, parts.queues.tasks);
  const budgets = new Map(
    settled.flatMap((call) => call.budgets).map((budget) => [`${budget.scope}:${budget.name}`, budget]),
  );
  let released = 0;
  for (const budget of budgets.values()) released += await releaseParked(parts, budget);
  return released;
}

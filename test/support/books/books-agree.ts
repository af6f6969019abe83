import type { Db } from '../../../src/redis/db.ts';
import { compareFindings } from './findings.ts';
import { compareJobs } from './jobs.ts';
import { compareMoney, type Bill } from './money.ts';

export interface BooksOptions {
  /** What the providers served, all of them together. Undefined: it is not compared. */
  bill?: Bill;
  /** No job runs, and no reservation may be open. Default true. */
  isIdle?: boolean;
}

/**
 * Compares all that a swarm has booked, over its whole life, with itself and with the providers' bill. No other program may
 * have written its public keys, and it may have had only one session.
 *
 * - Money, to the nano-dollar: the days' `spend` = the ledger = the sessions' totals = `cost:*`; the `spend` of each client,
 *   batch and mission = its rows of the ledger; the bill = settled, and at most the worst case of uncertain calls.
 * - Reservations: `reserved` and `uncertain` of every scope = the sum of the reservations that name it; idle: none is open.
 * - Findings: each is in one index, in that of its session and batch, and was announced once; `context:active`, the session's
 *   count and the counters of partial and condensed findings = what is stored.
 * - Jobs: each is in one state of its queue, once; none is in no state; tasks of the ledger = findings of tasks; of an ended
 *   batch, tasks = completed + failed.
 *
 * @returns one line for each disagreement, which names both sides; empty: all agree
 */
export async function listDisagreements(db: Db, { bill, isIdle = true }: BooksOptions = {}): Promise<string[]> {
  const found = await Promise.all([
    compareMoney(db, { bill, isIdle }),
    compareFindings(db),
    compareJobs(db, { isIdle }),
  ]);
  return found.flat();
}

/** @throws Error that lists the disagreements which `listDisagreements` finds */
export async function assertBooksAgree(db: Db, options: BooksOptions = {}): Promise<void> {
  const found = await listDisagreements(db, options);
  if (found.length > 0) throw new Error(`the books disagree:\n${found.join('\n')}`);
}
